"""the odoo ledger: vendor bills of Odoo 16 to 19 and what settles them

bills.py        vendor bills and what settles them, read in few questions
calls.py        one call of a method, over JSON-RPC or JSON-2
dialects.py     how one version of Odoo is talked to, and what its errors mean
ledger.py       the odoo ledger: bills read by their last change, payments made with its wizard
options.py      what the configuration says of one Odoo
receipts.py     our payments as Odoo has them, by their number or by our key
registering.py  one payment, made with Odoo's own wizard and compared before it is posted
rights.py       what the key's user may do, and whether the journals are what the configuration says
settlements.py  what settles a bill, from Odoo's rows

Theory of operation
-------------------
What is read is the bill, not the payment. A bank line that is reconciled with a bill makes no account.payment; one
payment may pay several bills; and a payment keeps its state and its write_date when it is reconciled later or
unreconciled. What the bill has, it has in account.partial.reconcile: one row for each of its lines and each line of
another entry that settles it, with the amount in the bill's own currency. An entry of a payment or of a bank
statement line is a payment; a credit note, a miscellaneous entry, a rate difference is none.

A bill's write_date moves with every reconciliation, because amount_residual and payment_state are stored on it, and
Odoo sets write_date for computed fields too. It is the time at which the transaction began, and shows when that has
ended; so reading reaches back (overlap). What one transaction replaces by another of the same amount leaves both
fields as they were, and is seen at the bill's next change: the bill is paid before and after.

A payment is called after its bill and itself ("200/payment-39"), a bank line after its bill and its entry
("200/entry-196"), not after the partial: that one gets a new number each time the same payment is reconciled anew,
and a bill that is due in instalments has one for each. Each reading of a bill says all that settles it, so what is
absent was undone. Bills that were set back to draft or cancelled are settled by nothing.
A payment of ours that was undone before it was ever read would be absent without having been there; so it is read as
one of nothing, where Odoo still knows what it was made for (from 18 on).

From Odoo 18 on, a payment through a journal without an outstanding account has no entry: the bill then says
"in payment", and amount_residual stays until the bank line comes. Such a payment counts as one of its bill, and the
bank line of the same amount that comes later is that payment, not a second one.

A lap in which nothing changed asks once: bills inside the overlap that look as they did are not asked about further.
"""
