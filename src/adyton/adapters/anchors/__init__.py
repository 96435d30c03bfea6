"""Anchors: where a ledger's head is kept, and never goes back.

How much that is worth depends on who keeps it. A database on the same disk is set back together
with everything else; one that somebody else runs is not, and of several, most would have to be.
"""
