"""the odoo ledger: vendor bills of Odoo 16 to 19 and what settles them

bills.py        vendor bills and their settlements, read in few calls
calls.py        one call of a method, over JSON-RPC or JSON-2
dialects.py     how to call one version of Odoo, and the meaning of its errors
ledger.py       the odoo ledger: bills read by their last change, payments made with its wizard
options.py      the configuration of one Odoo
receipts.py     this program's payments in Odoo, by their number or by its key
registering.py  one payment, made with Odoo's own wizard and compared before it is posted
rights.py       checks of the user's rights and of the configured journals
settlements.py  the settlements of a bill, from Odoo's rows

Theory of operation
-------------------
The program reads bills, not payments. A bank line that is reconciled with a bill creates no account.payment. One
payment may pay several bills. A payment keeps its state and its write_date when it is reconciled later or
unreconciled. The settlements of a bill are in account.partial.reconcile: one row for each pair of a line of the
bill and a line of another entry that settles it, with the amount in the bill's own currency. The entry of a
payment or of a bank statement line counts as a payment. A credit note, a miscellaneous entry or a rate difference
does not.

Every reconciliation updates a bill's write_date, because amount_residual and payment_state are stored on the bill,
and Odoo sets write_date for computed fields too. The write_date is the time at which the transaction began, but it
becomes visible when the transaction ends. So a reading reaches back (overlap). If one transaction replaces a
settlement by another of the same amount, both fields stay as they were. The replacement is then seen at the bill's
next change; the bill is paid before and after.

A payment's key consists of its bill and its own number ("200/payment-39"), a bank line's key of its bill and its
entry ("200/entry-196"). The number of the partial is not used: it changes each time the same payment is reconciled
again, and a bill that is due in instalments has one for each. Each reading of a bill lists all its settlements, so
a missing one was undone. A bill that was reset to draft or cancelled has no settlements.
If a payment of this program was undone before its first reading, it would be missing without ever having been
seen. So it is read as a payment of 0 if Odoo still knows its bill (from Odoo 18 on).

From Odoo 18 on, a payment through a journal without an outstanding account has no entry. The bill is then "in
payment", and amount_residual is unchanged until the bank line arrives. Such a payment counts as a payment of its
bill. A later bank line of the same amount is the same payment, not a second one.

A lap without changes sends one question: bills within the overlap that are unchanged are not read further.
"""
