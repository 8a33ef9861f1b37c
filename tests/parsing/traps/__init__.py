"""Each way in which a real log breaks a parser, read by the whole reader. What must come out is worked out by hand."""
