"""Jinja templates of the pages for people, found here by a checkout and by a wheel alike."""
