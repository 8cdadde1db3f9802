"""The use cases: take an event in once, sort it into lanes, send what is due, tidy up.

The ports they need are declared here, beside the code that calls them. Never here: SQL, HTTP,
names of vendors' types.
"""
