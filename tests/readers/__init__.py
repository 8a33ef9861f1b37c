"""Each reader on files made by hand or by the library that writes them."""
