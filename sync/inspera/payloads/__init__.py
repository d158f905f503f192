"""The vendor's words, here and nowhere else.

`bodies` words what we send about people and tests, `entries` what we put on tests; `readings`, `seats` and `stream`
read answers, `envelope` what is around them, and `forms` are what all of them are made of.
"""
