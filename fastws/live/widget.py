"""The page as a notebook widget."""
