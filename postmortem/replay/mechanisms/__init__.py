"""The mechanisms that experiments hold, and the small models and ensembles that they are made of."""
