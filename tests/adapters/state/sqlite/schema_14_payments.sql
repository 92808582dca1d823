-- A company's payments in every state, as the version with schema 14 wrote them.
INSERT INTO intents (id, direction, ledger, source, amount, currency, day, invoice_id, invoice_idn, supplier, state, reason, since, attempts, doubted, checks, check_at, remote_id, remote_idn, marked, reported, seen, obstacle) VALUES
('03b1bc46-62f7-50e6-95b7-ce8df057f24d', 'to_ledger', 'books', 'payment:1000088', '50.02', 'EUR', '2026-01-21', 1000059, 11, 'Northwind Office Supply', 'planned', '50.02 is above the cap of 1.00 for one payment', 1796028122.873, 0, 0, 0, NULL, NULL, NULL, 0, 0, 0, '["above_payment_cap", "50.02", "1.00"]'),
('0a753618-3e0d-5df6-be87-979f9d53d8f5', 'to_ledger', 'books', 'payment:1000095', '50.04', 'EUR', '2026-01-21', 1000069, 13, 'Northwind Office Supply', 'doubt', 'the answer was lost', 1796025868.387, 1, 1, 0, 1827561868.386, NULL, NULL, 0, 0, 0, NULL),
('10a72277-7127-5db9-81f2-ce2f891775be', 'to_precoro', 'books', '9', '30.04', 'EUR', '2026-01-15', 1000032, 6, 'Northwind Office Supply', 'doubt', 'the answer was lost', 1796025867.754, 1, 1, 0, 1827561867.753, NULL, NULL, 0, 0, 0, NULL),
('116ae1a7-6917-58b8-a2fb-6d4909495139', 'to_ledger', 'books', 'payment:1000090', '50.03', 'EUR', '2026-01-21', 1000064, 12, 'Northwind Office Supply', 'sending', '', 1796025868.008, 1, 0, 0, NULL, NULL, NULL, 0, 0, 0, NULL),
('14d36679-d0d4-5857-b3d9-85003aea682e', 'to_precoro', 'books', '8', '30.03', 'EUR', '2026-01-15', 1000029, 5, 'Northwind Office Supply', 'sending', '', 1796025867.032, 1, 0, 0, NULL, NULL, NULL, 0, 0, 0, NULL),
('449e49e8-5c71-5518-a3d9-5c430297050d', 'to_precoro', 'books', '3', '120.00', 'EUR', '2026-01-15', 1000037, 7, 'Northwind Office Supply', 'review', 'the ledger has 120.00, invoice 7 owes 100.00 EUR', 1796026919.913, 0, 0, 0, NULL, NULL, NULL, 0, 0, 0, NULL),
('7f7c3c69-3221-5622-9a6f-3ef09e701191', 'to_precoro', 'books', '7', '30.02', 'EUR', '2026-01-15', 1000023, 4, 'Northwind Office Supply', 'planned', '30.02 is above the cap of 1.00 for one payment', 1796028090.129, 0, 0, 0, NULL, NULL, NULL, 0, 0, 0, '["above_payment_cap", "30.02", "1.00"]'),
('8d5178ab-c46f-50c0-bee7-f5b249006966', 'to_precoro', 'books', '4', '130.00', 'EUR', '2026-01-15', 1000043, 8, 'Northwind Office Supply', 'rejected', 'somebody does not want it sent', 1796025852.241, 0, 0, 0, NULL, NULL, NULL, 0, 1, 0, NULL),
('9ed4bf67-b59a-5a78-9236-c4514237be2e', 'to_precoro', 'books', '2', '41.00', 'EUR', '2026-01-15', 1000020, 2, 'Northwind Office Supply', 'confirmed', 'the mirror has it', 1796026918.617, 1, 0, 0, NULL, '1000080', 2, 1, 0, 1, NULL),
('d052bab1-7a45-5438-9ea6-530760d517c6', 'to_ledger', 'books', 'payment:1000100', '50.06', 'EUR', '2026-01-21', 1000073, 15, 'Northwind Office Supply', 'rejected', 'somebody does not want it sent', 1796025844.794, 0, 0, 0, NULL, NULL, NULL, 0, 1, 0, NULL),
('e13bb7c7-8055-5deb-b125-e561c4e15a93', 'to_ledger', 'books', 'payment:1000085', '70.00', 'EUR', '2026-01-20', 1000047, 9, 'Northwind Office Supply', 'confirmed', '', 1796027435.897, 1, 0, 0, NULL, '5', NULL, 1, 0, 1, NULL);
INSERT INTO attempts (intent, number, at, amount, known, remainder, server_time, body, outcome) VALUES
('0a753618-3e0d-5df6-be87-979f9d53d8f5', 1, 1796025868.222, '50.04', '[]', NULL, NULL, '', 'unknown'),
('10a72277-7127-5db9-81f2-ce2f891775be', 1, 1796025867.567, '30.04', '[]', NULL, NULL, '', 'unknown'),
('116ae1a7-6917-58b8-a2fb-6d4909495139', 1, 1796025868.008, '50.03', '[]', NULL, NULL, '', NULL),
('14d36679-d0d4-5857-b3d9-85003aea682e', 1, 1796025867.032, '30.03', '[]', NULL, NULL, '', NULL),
('9ed4bf67-b59a-5a78-9236-c4514237be2e', 1, 1796026917.37, '41.00', '[]', '100.00', 1796026916.0, '898117d2be743f561c75cbb9ca35ac14', 'accepted'),
('e13bb7c7-8055-5deb-b125-e561c4e15a93', 1, 1796027432.123, '70.00', '[]', NULL, NULL, '', 'accepted');
INSERT INTO journal (seq, at, intent, event, source, target, attempt, reason, facts, dialogue) VALUES
(3, 1796026908.984, '9ed4bf67-b59a-5a78-9236-c4514237be2e', 'plan', '', 'planned', 0, 'payment 2 of 41.00 EUR on 2026-01-15 for 2 is for invoice 2', '{}', NULL),
(4, 1796026909.18, '449e49e8-5c71-5518-a3d9-5c430297050d', 'plan', '', 'planned', 0, 'payment 3 of 120.00 EUR on 2026-01-15 for 7 is for invoice 7', '{}', NULL),
(5, 1796026909.356, '8d5178ab-c46f-50c0-bee7-f5b249006966', 'plan', '', 'planned', 0, 'payment 4 of 130.00 EUR on 2026-01-15 for 8 is for invoice 8', '{}', NULL),
(8, 1796026917.37, '9ed4bf67-b59a-5a78-9236-c4514237be2e', 'send', 'planned', 'sending', 1, '', '{"remainder": "100.00", "status": "2", "payments": "none"}', NULL),
(9, 1796026918.617, '9ed4bf67-b59a-5a78-9236-c4514237be2e', 'accept', 'sending', 'confirmed', 1, '', '{}', NULL),
(10, 1796026919.913, '449e49e8-5c71-5518-a3d9-5c430297050d', 'hold', 'planned', 'review', 0, 'the ledger has 120.00, invoice 7 owes 100.00 EUR', '{"remainder": "100.00", "status": "2", "payments": "none"}', NULL),
(11, 1796026921.554, '8d5178ab-c46f-50c0-bee7-f5b249006966', 'hold', 'planned', 'review', 0, 'the ledger has 130.00, invoice 8 owes 100.00 EUR', '{"remainder": "100.00", "status": "2", "payments": "none"}', NULL),
(13, 1796027423.888, '9ed4bf67-b59a-5a78-9236-c4514237be2e', 'see', 'confirmed', 'confirmed', 1, 'the mirror has it', '{}', NULL),
(14, 1796027430.007, 'e13bb7c7-8055-5deb-b125-e561c4e15a93', 'plan', '', 'planned', 0, 'invoice 9 was paid in Precoro', '{}', NULL),
(15, 1796027432.123, 'e13bb7c7-8055-5deb-b125-e561c4e15a93', 'send', 'planned', 'sending', 1, '', '{}', NULL),
(16, 1796027435.897, 'e13bb7c7-8055-5deb-b125-e561c4e15a93', 'accept', 'sending', 'confirmed', 1, '', '{}', NULL),
(19, 1796028090.129, '7f7c3c69-3221-5622-9a6f-3ef09e701191', 'plan', '', 'planned', 0, 'payment 7 of 30.02 EUR on 2026-01-15 for 4 is for invoice 4', '{}', NULL),
(20, 1796028091.565, '14d36679-d0d4-5857-b3d9-85003aea682e', 'plan', '', 'planned', 0, 'payment 8 of 30.03 EUR on 2026-01-15 for 5 is for invoice 5', '{}', NULL),
(21, 1796028092.914, '10a72277-7127-5db9-81f2-ce2f891775be', 'plan', '', 'planned', 0, 'payment 9 of 30.04 EUR on 2026-01-15 for 6 is for invoice 6', '{}', NULL),
(24, 1796028098.51, '7f7c3c69-3221-5622-9a6f-3ef09e701191', 'postpone', 'planned', 'planned', 0, '30.02 is above the cap of 1.00 for one payment', '{}', NULL),
(25, 1796028100.027, '14d36679-d0d4-5857-b3d9-85003aea682e', 'postpone', 'planned', 'planned', 0, '30.03 is above the cap of 1.00 for one payment', '{}', NULL),
(26, 1796028102.868, '10a72277-7127-5db9-81f2-ce2f891775be', 'postpone', 'planned', 'planned', 0, '30.04 is above the cap of 1.00 for one payment', '{}', NULL),
(28, 1796028122.873, '03b1bc46-62f7-50e6-95b7-ce8df057f24d', 'plan', '', 'planned', 0, 'invoice 11 was paid in Precoro', '{}', NULL),
(29, 1796028128.368, '116ae1a7-6917-58b8-a2fb-6d4909495139', 'plan', '', 'planned', 0, 'invoice 12 was paid in Precoro', '{}', NULL),
(30, 1796028133.107, '0a753618-3e0d-5df6-be87-979f9d53d8f5', 'plan', '', 'planned', 0, 'invoice 13 was paid in Precoro', '{}', NULL),
(31, 1796028137.425, 'd052bab1-7a45-5438-9ea6-530760d517c6', 'plan', '', 'planned', 0, 'invoice 15 was paid in Precoro', '{}', NULL),
(33, 1796028141.487, '03b1bc46-62f7-50e6-95b7-ce8df057f24d', 'postpone', 'planned', 'planned', 0, '50.02 is above the cap of 1.00 for one payment', '{}', NULL),
(34, 1796028141.795, '116ae1a7-6917-58b8-a2fb-6d4909495139', 'postpone', 'planned', 'planned', 0, '50.03 is above the cap of 1.00 for one payment', '{}', NULL),
(35, 1796028142.169, '0a753618-3e0d-5df6-be87-979f9d53d8f5', 'postpone', 'planned', 'planned', 0, '50.04 is above the cap of 1.00 for one payment', '{}', NULL),
(36, 1796028143.641, 'd052bab1-7a45-5438-9ea6-530760d517c6', 'postpone', 'planned', 'planned', 0, '50.06 is above the cap of 1.00 for one payment', '{}', NULL),
(37, 1796025844.794, 'd052bab1-7a45-5438-9ea6-530760d517c6', 'drop', 'planned', 'rejected', 0, 'somebody does not want it sent', '{}', NULL),
(38, 1796025852.241, '8d5178ab-c46f-50c0-bee7-f5b249006966', 'drop', 'review', 'rejected', 0, 'somebody does not want it sent', '{}', NULL),
(39, 1796025867.032, '14d36679-d0d4-5857-b3d9-85003aea682e', 'send', 'planned', 'sending', 1, '', '{}', NULL),
(40, 1796025867.567, '10a72277-7127-5db9-81f2-ce2f891775be', 'send', 'planned', 'sending', 1, '', '{}', NULL),
(41, 1796025867.754, '10a72277-7127-5db9-81f2-ce2f891775be', 'lose', 'sending', 'doubt', 1, 'the answer was lost', '{}', NULL),
(42, 1796025868.008, '116ae1a7-6917-58b8-a2fb-6d4909495139', 'send', 'planned', 'sending', 1, '', '{}', NULL),
(43, 1796025868.222, '0a753618-3e0d-5df6-be87-979f9d53d8f5', 'send', 'planned', 'sending', 1, '', '{}', NULL),
(44, 1796025868.387, '0a753618-3e0d-5df6-be87-979f9d53d8f5', 'lose', 'sending', 'doubt', 1, 'the answer was lost', '{}', NULL);
INSERT INTO ledger_payments (ledger, key, invoice, amount, currency, day, supplier, ours, takes_back, facts, carried, intent, seen_at) VALUES
('books', '2', '2', '41.00', 'EUR', '2026-01-15', 'Northwind Office Supply', NULL, 0, '2|41.00|EUR|2026-01-15|Northwind Office Supply', '2|41.00|EUR|2026-01-15|Northwind Office Supply', '9ed4bf67-b59a-5a78-9236-c4514237be2e', 1796026907.83),
('books', '3', '7', '120.00', 'EUR', '2026-01-15', 'Northwind Office Supply', NULL, 0, '7|120.00|EUR|2026-01-15|Northwind Office Supply', '7|120.00|EUR|2026-01-15|Northwind Office Supply', '449e49e8-5c71-5518-a3d9-5c430297050d', 1796026907.83),
('books', '4', '8', '130.00', 'EUR', '2026-01-15', 'Northwind Office Supply', NULL, 0, '8|130.00|EUR|2026-01-15|Northwind Office Supply', '8|130.00|EUR|2026-01-15|Northwind Office Supply', '8d5178ab-c46f-50c0-bee7-f5b249006966', 1796026907.83),
('books', '5', '9', '70.00', 'EUR', '2026-01-20', 'Northwind Office Supply', 'e13bb7c7-8055-5deb-b125-e561c4e15a93', 0, '9|70.00|EUR|2026-01-20|Northwind Office Supply', '9|70.00|EUR|2026-01-20|Northwind Office Supply', 'e13bb7c7-8055-5deb-b125-e561c4e15a93', 1796028081.377),
('books', '7', '4', '30.02', 'EUR', '2026-01-15', 'Northwind Office Supply', NULL, 0, '4|30.02|EUR|2026-01-15|Northwind Office Supply', '4|30.02|EUR|2026-01-15|Northwind Office Supply', '7f7c3c69-3221-5622-9a6f-3ef09e701191', 1796028081.377),
('books', '8', '5', '30.03', 'EUR', '2026-01-15', 'Northwind Office Supply', NULL, 0, '5|30.03|EUR|2026-01-15|Northwind Office Supply', '5|30.03|EUR|2026-01-15|Northwind Office Supply', '14d36679-d0d4-5857-b3d9-85003aea682e', 1796028081.377),
('books', '9', '6', '30.04', 'EUR', '2026-01-15', 'Northwind Office Supply', NULL, 0, '6|30.04|EUR|2026-01-15|Northwind Office Supply', '6|30.04|EUR|2026-01-15|Northwind Office Supply', '10a72277-7127-5db9-81f2-ce2f891775be', 1796028081.377);
INSERT INTO unreadable_rows (ledger, key, reason, raw, seen_at) VALUES
('books', '11', 'amount: ''abc'' is no plain number, such as 1234.50', '{"key": 11, "invoice": "77", "amount": "abc", "paid_on": "2026-01-01", "currency": "EUR", "supplier": "x", "ours": null}', 1796029587.404);
INSERT INTO positions (name, value) VALUES
('paid before this time is known', '1796026164.0'),
('payments of books', '10');
