"""What was last put in Inspera, what is wanted now, and the journal of what was tried. The only room with SQL in it."""
