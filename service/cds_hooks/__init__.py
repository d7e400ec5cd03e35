"""CDS Hooks 2.0: cards inside a practitioner's own system, each made from a screening that is recorded first.

Names, patient ids and access tokens that come with a call are dropped at the door: none is read, kept or logged.
"""
