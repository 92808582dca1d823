"""the business_central ledger: lines of a vendor payment journal, one for each payment

ledger.py    the business_central ledger: payments become lines of a journal that people post
payloads.py  what Business Central's answers say, and what a payment looks like to it

Theory of operation
-------------------
The standard API (v2.0) has journal lines that are not posted yet (vendorPayments) and posted purchase invoices. It
has neither the vendor's ledger entries nor what was applied to an invoice: once a person posted the journal, its
lines are in no list that names them, and nobody can be asked what is open on an invoice that is paid in part. So
payments go one way, and the person who posts them sees what the program cannot.

A line has no currency: the API neither takes one nor shows it. A line without one is in the company's own currency.
So only payments in that currency are made, and only through a journal that balances on an account in it.

A line is known again by its external document number, which holds our short key: a field of 35 characters has no room
for the 36 of a key, and Business Central turns it into capitals. It keeps no number unique, so that a second create
makes a second line; a lost answer is settled by a search.
"""
