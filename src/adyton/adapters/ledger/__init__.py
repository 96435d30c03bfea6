"""What a ledger keeps on disk: its journal, its sealed state, and the index made from the journal.

The disk is the host's. Journal and sealed state are checked whenever they are read; the index is a
convenience that is made again from the journal, and what it leads to is checked as well.
"""
