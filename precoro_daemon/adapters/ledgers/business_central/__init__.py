"""the business_central ledger: lines of a vendor payment journal, one for each payment

ledger.py    the business_central ledger: payments become lines of a journal that people post
payloads.py  the contents of Business Central's answers, and a payment in its format

Theory of operation
-------------------
The standard API (v2.0) offers journal lines that are not posted yet (vendorPayments) and posted purchase invoices.
It offers neither the vendor's ledger entries nor the applications to an invoice. Once a person has posted the
journal, no list names its lines any more, and no call returns the open amount of a partly paid invoice. So
payments go one way, and the person who posts them sees what the program cannot see.

A line has no currency: the API neither accepts nor shows one. A line without a currency is in the company's own
currency. So the program records only payments in that currency, and only in a journal whose balancing account is
in it.

A line is recognised by its external document number, which holds the short key: the field has 35 characters, a
full key has 36, and Business Central converts the number to capitals. Business Central does not enforce unique
numbers, so a second create makes a second line. After a lost answer, a search finds out whether the line exists.
"""
