"""The verification path: read, authenticate, appraise, bind, check, decide."""
