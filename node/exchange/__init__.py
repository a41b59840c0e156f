"""Our things as documents for other servers, and what their activities do here."""
