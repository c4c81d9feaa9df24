"""The REST service. Each other standard that is spoken is one sibling module here."""
