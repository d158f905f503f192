"""The client of Inspera's API: it paces, repeats and interprets calls, and sends changes.

The rest of the application uses `target.InsperaTarget` only. Only `client` imports requests, and
the vendor's field names occur only in `requests` and `responses`.
"""
