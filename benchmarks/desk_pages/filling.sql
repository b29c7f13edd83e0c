-- What `filling.py` runs, statement by statement. `size` is the number of orders to add.
CREATE TEMP TABLE size AS SELECT current_setting('filling.orders')::bigint AS orders;
CREATE TEMP TABLE cast_of AS SELECT
    (SELECT id FROM parties_organisation WHERE name = 'NVIDIA Corporation') AS seller,
    (SELECT organisation_id FROM parties_seat s JOIN auth_user u ON u.id = s.user_id WHERE username = 'buyer.qingshan') AS buyer,
    (SELECT id FROM parties_organisation WHERE name_latin LIKE '%Testhaus%') AS laboratory,
    (SELECT id FROM parties_organisation WHERE name_latin LIKE '%Dongling%') AS holder,
    (SELECT id FROM parties_authority WHERE code = 'BIS') AS bis,
    (SELECT id FROM parties_authority WHERE code = 'MIIT') AS miit,
    (SELECT coalesce(max(id), 0) FROM cases_order) AS order_0,
    (SELECT coalesce(max(id), 0) FROM cases_orderline) AS line_0,
    (SELECT coalesce(max(id), 0) FROM cases_application) AS case_0,
    (SELECT coalesce(max(id), 0) FROM cases_document) AS paper_0,
    (SELECT coalesce(max(id), 0) FROM cases_decision) AS decision_0,
    (SELECT coalesce(max(id), 0) FROM audit_signeddocument) AS document_0,
    (SELECT coalesce(max(id), 0) FROM ledger_balance) AS balance_0,
    (SELECT coalesce(max(id), 0) FROM ledger_authorisation) AS grant_0,
    (SELECT coalesce(max(id), 0) FROM ledger_shipment) AS shipment_0,
    (SELECT coalesce(max(id), 0) FROM ledger_shipmentline) AS shipped_0,
    (SELECT coalesce(max(id), 0) FROM ledger_movement) AS movement_0,
    (SELECT coalesce(max(id), 0) FROM cases_batch) AS batch_0,
    (SELECT coalesce(max(id), 0) FROM cases_batchshare) AS share_0,
    (SELECT coalesce(max(id), 0) FROM parties_organisation) AS firm_0,
    (SELECT count(*) FROM audit_leaf) AS leaf_0;

-- Companies: an alias, an owner, an address and a number each.
INSERT INTO parties_organisation (id, name, name_latin, kind, country, hq_country, ultimate_parent_id, provenance, created_at)
SELECT firm_0 + n, format('虚构企业%s有限公司', firm_0 + n), format('Invented Company %s Ltd.', firm_0 + n), 'private', 'CN', 'CN', NULL, 'invented', now()
FROM cast_of, size, generate_series(1, greatest(orders / 25, 3)) n;
CREATE TEMP TABLE firm AS SELECT id, row_number() OVER (ORDER BY id) - 1 AS n FROM parties_organisation, cast_of WHERE id > firm_0;
INSERT INTO parties_alias (organisation_id, name) SELECT id, format('Invented %s', n) FROM firm;
INSERT INTO parties_ownership (owner_id, owned_id, share_bp, as_of, source) SELECT holder, id, 100, current_date, 'invented' FROM firm, cast_of;
INSERT INTO parties_address (organisation_id, lines, lines_latin, country) SELECT id, '虚构路一号', 'Invented Road 1', 'CN' FROM firm;
INSERT INTO parties_identifier (organisation_id, scheme, value) SELECT id, 'USCC', format('9100%s', id) FROM firm;

-- Orders of two items with four parties; every tenth is the buyer's who has a login.
CREATE TEMP TABLE filled AS
SELECT g.n, order_0 + g.n AS id, CASE WHEN g.n % 10 = 0 THEN buyer ELSE f.id END AS importer
FROM cast_of, size, generate_series(1, orders) g(n) JOIN firm f ON f.n = g.n % (SELECT count(*) FROM firm);
ANALYZE filled;
INSERT INTO cases_order (id, number, exporter_id, importer_id, currency, destination, place, facts, created_at, created_by)
SELECT f.id, format('PO-%s', lpad(f.id::text, 6, '0')), seller, importer, 'USD', 'CN', 'mainland',
    (SELECT facts FROM cases_order ORDER BY id LIMIT 1), now() - n * interval '1 minute', 'seller' FROM filled f, cast_of;
INSERT INTO cases_orderline (id, order_id, position, chip, units, value_minor, tpp)
SELECT line_0 + 2 * n + p - 2, f.id, p, CASE p WHEN 1 THEN 'NVIDIA H200 SXM' ELSE 'NVIDIA H20' END, 100, 270000000, CASE p WHEN 1 THEN 15832 ELSE 2368 END
FROM filled f, cast_of, generate_series(1, 2) p;
INSERT INTO cases_orderparty (order_id, organisation_id, role)
SELECT f.id, importer, role FROM filled f, unnest(ARRAY['purchaser', 'ultimate_consignee', 'end_user']) role
UNION ALL SELECT f.id, laboratory, 'laboratory' FROM filled f, cast_of;
INSERT INTO cases_milestone (order_id, kind, "on", reference, recorded_at, recorded_by)
SELECT id, 'order', current_date - 30, 'purchase order', now(), 'seller' FROM filled;

-- A case on both keys. Of a hundred: 55 approved, 10 refused, the others on their way.
CREATE TEMP TABLE filled_case AS
SELECT 2 * n + k AS n, case_0 + 2 * n + k AS id, f.id AS order_id, f.importer, line_0 + 2 * n - 1 AS line, k,
    CASE k WHEN 0 THEN bis ELSE miit END AS authority, CASE k WHEN 0 THEN seller ELSE f.importer END AS applicant,
    CASE WHEN m < 55 THEN 'approved' WHEN m < 65 THEN 'refused' WHEN m < 72 THEN 'submitted' WHEN m < 82 THEN 'under_review'
        WHEN m < 85 THEN 'information_requested' WHEN m < 87 THEN 'decided' WHEN m < 89 THEN 'returned' WHEN m < 91 THEN 'appealed'
        WHEN m < 94 THEN 'withdrawn' WHEN m < 97 THEN 'superseded' ELSE 'draft' END AS state
FROM filled f, cast_of, generate_series(0, 1) k, LATERAL (SELECT abs(hashint8(2 * n + k)::bigint) % 100) mixed(m);
ANALYZE filled_case;
INSERT INTO cases_application (id, order_id, authority_id, state, applicant_id, use_statement, officer, attention, created_at, submitted_at, closed_at)
SELECT id, order_id, authority, state, applicant, 'Advanced research on large models; the domestic chips on offer do not hold the model in memory.',
    CASE WHEN state IN ('draft', 'submitted') THEN '' WHEN k = 0 THEN 'officer.bis.' ELSE 'officer.miit.' END
        || CASE WHEN state IN ('draft', 'submitted') THEN '' ELSE (1 + n / 2 % 2)::text END,
    CASE WHEN state = 'under_review' AND n % 10 = 0 THEN 'law_changed' ELSE '' END, now() - n * interval '1 minute',
    CASE WHEN state <> 'draft' THEN now() - (abs(hashint8(n)::bigint) % 400) * interval '1 day' END, CASE WHEN state IN ('approved', 'refused', 'withdrawn') THEN now() END
FROM filled_case;
INSERT INTO cases_document (id, application_id, kind, filename, content_type, size, sha256, stored_as, scan, scan_detail, uploaded_by, uploaded_at)
SELECT paper_0 + 2 * n + p, c.id, CASE p WHEN 0 THEN 'contract' ELSE 'use_statement' END, 'paper.txt', 'text/plain', 64, first.sha256, first.stored_as, 'clean', '', 'seller', now()
FROM filled_case c, cast_of, generate_series(0, 1) p, (SELECT sha256, stored_as FROM cases_document ORDER BY id LIMIT 1) first;
INSERT INTO cases_evidence (order_id, name, shipment_id, document_id, issuer, issued_on, expires_on, recorded_by, recorded_at, withdrawn_reason)
SELECT f.id, e.name, NULL, paper_0 + 4 * f.n, e.issuer, current_date - 100,
    current_date - 20 + (abs(hashint8(f.n * 13 + e.place)::bigint) % 365)::int, 'seller', now(), ''
FROM filled f, cast_of, (SELECT name, min(issuer) AS issuer, row_number() OVER (ORDER BY name) AS place FROM cases_evidence WHERE shipment_id IS NULL GROUP BY name) e
WHERE e.place <= 13 AND f.n % 13 <> e.place;
INSERT INTO cases_storedassessment (application_id, as_of, at, key, status, answer, missing, law_digest, facts_digest, lists_digest, body, why)
SELECT c.id, current_date, now(), a.key, a.status, a.answer, a.missing, a.law_digest, a.facts_digest, a.lists_digest,
    CASE WHEN c.n <= 4000 THEN a.body ELSE a.facts END, 'submit'
FROM filled_case c JOIN (
    SELECT DISTINCT ON (key) *, jsonb_build_object('items', jsonb_build_array(jsonb_build_object('facts', body #> '{items,0,facts}'))) AS facts
    FROM cases_storedassessment ORDER BY key, id) a ON a.key = CASE c.k WHEN 0 THEN 'export' ELSE 'import' END WHERE c.state <> 'draft';
INSERT INTO cases_informationrequest (application_id, question, asked_by, asked_at, due_on, answer, answered_by, answered_at)
SELECT id, 'Which site?', 'officer.bis.1', now() - interval '9 days', current_date + 9, CASE state WHEN 'information_requested' THEN '' ELSE 'Mainland.' END,
    CASE state WHEN 'information_requested' THEN '' ELSE 'seller' END, CASE state WHEN 'information_requested' THEN NULL ELSE now() END
FROM filled_case WHERE state IN ('information_requested', 'approved', 'refused');
INSERT INTO cases_advicerequest (application_id, reviewer, asked_by, asked_at)
SELECT id, CASE k WHEN 0 THEN 'adviser.bis' ELSE 'adviser.miit' END, 'officer.bis.1', now() FROM filled_case WHERE state NOT IN ('draft', 'submitted');
INSERT INTO cases_advice (application_id, reviewer, recommendation, text, at)
SELECT id, CASE k WHEN 0 THEN 'adviser.bis' ELSE 'adviser.miit' END, 'no_objection', 'None.', now() FROM filled_case WHERE state IN ('approved', 'refused', 'decided');
INSERT INTO cases_note (application_id, authority_id, author, text, at) SELECT id, authority, 'officer.bis.1', 'Seen.', now() FROM filled_case WHERE n % 3 = 0;
INSERT INTO cases_necessity (application_id, necessary, criteria, officer, at)
SELECT id, true, '{}', 'officer.miit.1', now() FROM filled_case WHERE k = 1 AND state IN ('approved', 'decided');

-- Batches with three shares each, and their balances.
INSERT INTO cases_batch (id, authority_id, code, currency, oversubscription, units_granted, value_granted, opened_by, countersigned_by, created_at)
SELECT batch_0 + b, miit, format('CN-FILL-%s', batch_0 + b), 'USD', false, 0, 0, 'officer.miit.1', 'officer.miit.2', now()
FROM cast_of, size, generate_series(1, greatest(orders / 250, 1)) b;
INSERT INTO cases_batchshare (id, batch_id, organisation_id, units_granted, value_granted)
SELECT share_0 + 3 * (id - batch_0) + s - 3, id, (SELECT f.id FROM firm f WHERE f.n = (3 * cases_batch.id + s) % (SELECT count(*) FROM firm)), 0, 0
FROM cases_batch, cast_of, generate_series(1, 3) s WHERE id > batch_0;
INSERT INTO ledger_balance (id, kind, label, state, opens_at, currency, units_cap, value_cap, value_tolerance, units_reserved, units_drawn, value_reserved, value_drawn, uses_reserved, uses_drawn)
SELECT balance_0 + id - batch_0, 'batch', code, 'in_force', now(), 'USD', 1000000, 2700000000000, 0, 100, 20000, 0, 0, 0, 0 FROM cases_batch, cast_of WHERE id > batch_0
UNION ALL SELECT balance_0 + (SELECT count(*) FROM cases_batch WHERE id > batch_0) + id - share_0, 'share', format('share %s', id), 'in_force', now(), 'USD', 400000, NULL, 0, 100, 7000, 0, 0, 0, 0
FROM cases_batchshare, cast_of WHERE id > share_0;
INSERT INTO ledger_batchbalance (balance_id, batch_id, share_id)
SELECT balance_0 + id - batch_0, id, NULL FROM cases_batch, cast_of WHERE id > batch_0
UNION ALL SELECT balance_0 + (SELECT count(*) FROM cases_batch WHERE id > batch_0) + id - share_0, batch_id, id FROM cases_batchshare, cast_of WHERE id > share_0;
UPDATE cast_of SET balance_0 = (SELECT max(id) FROM ledger_balance);

-- Decisions with both signatures, and what they granted.
CREATE TEMP TABLE settled AS SELECT c.*, row_number() OVER (ORDER BY id) AS d FROM filled_case c WHERE state IN ('approved', 'refused', 'decided', 'appealed');
ANALYZE settled;
CREATE TEMP TABLE model AS SELECT DISTINCT ON (a.authority_id, s) a.authority_id AS authority, s, CASE s WHEN 0 THEN o.jws ELSE t.jws END AS jws
FROM cases_decision e JOIN cases_application a ON a.id = e.application_id JOIN audit_signeddocument o ON o.id = e.document_id
JOIN cases_countersignature x ON x.decision_id = e.id JOIN audit_signeddocument t ON t.id = x.document_id, generate_series(0, 1) s ORDER BY a.authority_id, s, e.id;
INSERT INTO audit_signeddocument (id, kind, subject_kind, subject_id, at, sha256, jws)
SELECT document_0 + 2 * d + s, CASE s WHEN 0 THEN 'twokey.decision/1' ELSE 'twokey.countersignature/1' END, 'application', c.id, now(),
    md5(c.id::text) || md5(s::text), m.jws FROM settled c JOIN model m USING (authority), cast_of;
INSERT INTO cases_decision (id, application_id, outcome, reasons, terms, batch_id, law_digest, officer, at, document_id)
SELECT decision_0 + d, c.id, CASE WHEN state IN ('refused', 'appealed') THEN 'refuse' ELSE 'approve' END, 'It meets the rule.', e.terms,
    CASE WHEN k = 1 AND state = 'approved' THEN CASE WHEN d % 10 = 0 THEN batch_0 ELSE batch_0 + 1 + d % (SELECT count(*) FROM cases_batch b WHERE b.id > batch_0) END END,
    e.law_digest, CASE k WHEN 0 THEN 'officer.bis.1' ELSE 'officer.miit.1' END, now() - (d % 300) * interval '1 day', document_0 + 2 * d
FROM settled c, cast_of, (SELECT terms, law_digest FROM cases_decision ORDER BY id LIMIT 1) e;
INSERT INTO cases_countersignature (decision_id, signed, reason, officer, at, document_id)
SELECT decision_0 + d, true, '', CASE k WHEN 0 THEN 'officer.bis.2' ELSE 'officer.miit.2' END, now() - (d % 300) * interval '1 day', document_0 + 2 * d + 1
FROM settled, cast_of WHERE state <> 'decided';
INSERT INTO cases_appeal (decision_id, grounds, by, at, heard_by, heard_reason)
SELECT decision_0 + d, 'The site was misread.', 'seller', now(), '', '' FROM settled, cast_of WHERE state = 'appealed';
CREATE TEMP TABLE granted AS
SELECT c.*, decision_0 + d AS decision, row_number() OVER (ORDER BY c.id) AS g, e.batch_id AS batch
FROM settled c CROSS JOIN cast_of JOIN cases_decision e ON e.id = decision_0 + d WHERE state = 'approved';
ANALYZE granted;
INSERT INTO ledger_balance (id, kind, label, state, opens_at, closes_at, currency, units_cap, value_cap, uses_cap, value_tolerance, units_reserved, units_drawn, value_reserved, value_drawn, uses_reserved, uses_drawn)
SELECT balance_0 + g, 'authorisation', format('FILL-%s', c.id), CASE WHEN g % 20 = 0 THEN 'suspended' WHEN g % 23 = 0 THEN 'revoked' ELSE 'in_force' END,
    now() - interval '1 day', now() + interval '300 days', 'USD', 100, 270000000, 12, 0, 10, (g * 7) % 90, 27000000, ((g * 7) % 90) * 2700000, 1, 3 FROM granted c, cast_of;
INSERT INTO ledger_authorisation (id, number, authority_id, decision_id, line_id, balance_id, batch_balance_id, valid_from, valid_until, places, created_at)
SELECT grant_0 + g, format('%s-2026-F%s', CASE k WHEN 0 THEN 'BIS' ELSE 'MIIT' END, grant_0 + g), authority, decision, line, balance_0 + g,
    (SELECT b.balance_id FROM ledger_batchbalance b WHERE b.batch_id = c.batch AND b.share_id IS NULL), current_date - 1,
    current_date + CASE WHEN g % 30 = 0 THEN (g % 40)::int ELSE 300 END, ARRAY['mainland'], now() - (g % 300) * interval '1 day' FROM granted c, cast_of;
INSERT INTO ledger_condition (authorisation_id, code, kind, text_en, text_zh, set_by, at, lifted)
SELECT grant_0 + g, code, kind, 'A duty.', '一项义务。', 'officer.bis.1', now(), false FROM granted, cast_of,
    (VALUES ('security_procedures_shown', 'precedent'), ('inference_share_kept', 'lasting')) v(code, kind);
INSERT INTO ledger_statechange (balance_id, before, after, reason, by, at)
SELECT balance_0 + g, 'in_force', 'suspended', 'a doubt', 'officer.bis.1', now() FROM granted, cast_of WHERE g % 20 = 0;
INSERT INTO ledger_adjustment (authorisation_id, units, value_minor, uses, reason, proposed_by, proposed_at, signed_by)
SELECT grant_0 + g, 1, 2700000, 0, 'a slip', 'officer.bis.1', now(), '' FROM granted, cast_of WHERE g % 50 = 0;

-- A shipment for every second order: half went through, the others wait at the gate.
CREATE TEMP TABLE shipped AS
SELECT f.id AS order_id, f.n, row_number() OVER (ORDER BY f.id) AS s, line_0 + 2 * f.n - 1 AS line, e.g AS export, i.g AS import
FROM filled f CROSS JOIN cast_of LEFT JOIN granted e ON e.order_id = f.id AND e.k = 0 LEFT JOIN granted i ON i.order_id = f.id AND i.k = 1 WHERE f.n % 2 = 0;
ANALYZE shipped;
INSERT INTO ledger_shipment (id, order_id, number, state, place, created_by, created_at, reserved_until)
SELECT shipment_0 + s, order_id, format('SH-F%s', shipment_0 + s), CASE WHEN s % 2 = 0 THEN 'delivered' WHEN export IS NULL OR import IS NULL THEN 'planned' ELSE 'reserved' END,
    'mainland', 'seller', now(), CASE WHEN s % 2 = 1 AND export IS NOT NULL AND import IS NOT NULL THEN now() + (s % 30) * interval '1 day' END FROM shipped, cast_of;
INSERT INTO ledger_shipmentline (id, shipment_id, line_id, units, value_minor, currency, export_authorisation_id, import_authorisation_id)
SELECT shipped_0 + s, shipment_0 + s, line, 10, 27000000, 'USD', grant_0 + export, grant_0 + import FROM shipped, cast_of;
INSERT INTO ledger_movement (id, kind, key, digest, of_id, shipment_id, actor, reason, at, balances, units, value_minor, uses)
SELECT movement_0 + 2 * s + m, CASE m WHEN 0 THEN 'reserve' ELSE 'draw' END, format('fill:%s:%s', shipment_0 + s, m), md5(s::text), CASE m WHEN 1 THEN movement_0 + 2 * s END,
    shipment_0 + s, 'seller', '', now() - (s % 300) * interval '1 day',
    array_remove(ARRAY[balance_0 + export, balance_0 + import], NULL), array_fill(10::bigint, ARRAY[keys]), array_fill(27000000::bigint, ARRAY[keys]), array_fill(1::bigint, ARRAY[keys])
FROM shipped, cast_of, generate_series(0, 1) m, LATERAL (SELECT num_nonnulls(export, import)) c(keys) WHERE keys > 0 AND (m = 0 OR s % 2 = 0);
INSERT INTO ledger_movement (id, kind, key, digest, actor, reason, at, balances, units, value_minor, uses)
SELECT movement_0 + 2 * (SELECT max(s) FROM shipped) + 1 + h, 'adjust', format('fill:hot:%s', movement_0 + h), md5(h::text), 'officer.bis.1', 'a slip', now(),
    ARRAY[(SELECT balance_id FROM ledger_authorisation ORDER BY id LIMIT 1)], ARRAY[0], ARRAY[0], ARRAY[0] FROM cast_of, size, generate_series(1, orders / 10) h;
INSERT INTO audit_signeddocument (id, kind, subject_kind, subject_id, at, sha256, jws)
SELECT document_0 + 2 * (SELECT max(d) FROM settled) + 1 + s, 'twokey.release/1', 'shipment', shipment_0 + s, now() - (s % 300) * interval '1 day', md5(s::text) || md5('release'),
    (SELECT jws FROM audit_signeddocument WHERE kind = 'twokey.release/1' ORDER BY id LIMIT 1) FROM shipped, cast_of WHERE s % 2 = 0;
INSERT INTO ledger_release (number, shipment_id, movement_id, document_id, at)
SELECT format('REL-2026-F%s', shipment_0 + s), shipment_0 + s, movement_0 + 2 * s + 1, document_0 + 2 * (SELECT max(d) FROM settled) + 1 + s, now() - (s % 300) * interval '1 day' FROM shipped, cast_of WHERE s % 2 = 0;
INSERT INTO ledger_arrival (shipment_line_id, kind, number, "on", place, units, recorded_by, recorded_at)
SELECT shipped_0 + s, kind, format('ARR-%s', s), current_date - (s % 280)::int, 'mainland', 9, 'customs.gacc', now() - (s % 280) * interval '1 day' FROM shipped, cast_of, unnest(ARRAY['delivery', 'customs_entry']) kind WHERE s % 2 = 0;
INSERT INTO cases_evidence (order_id, name, shipment_id, document_id, issuer, issued_on, expires_on, recorded_by, recorded_at, withdrawn_reason)
SELECT order_id, 'laboratory_certificate', shipment_0 + s, paper_0 + 4 * n, 'Invented Testhaus Laboratory Inc.', current_date - 9, current_date + 300, 'seller', now(), '' FROM shipped, cast_of;

-- History, sealed; what was told; what was sent, reported, and heard from other desks.
INSERT INTO audit_event (at, actor, role, authority, channel, verb, subject_kind, subject_id, payload)
SELECT now() - e * interval '1 hour', 'seller', 'applicant', '', 'api', (ARRAY['case.draft', 'case.submit', 'case.take', 'case.assessed'])[e], 'application', id, '{}' FROM filled_case, generate_series(1, 4) e;
INSERT INTO audit_event (at, actor, role, authority, channel, verb, subject_kind, subject_id, payload)
SELECT now(), 'seller', 'applicant', '', 'api', 'shipment.planned', 'shipment', shipment_0 + s, '{}' FROM shipped, cast_of;
ANALYZE audit_event;
INSERT INTO audit_leaf (position, stream, row_id, leaf_hash)
SELECT leaf_0 + row_number() OVER (ORDER BY id) - 1, 'event', id, md5(id::text) || md5('leaf') FROM audit_event e, cast_of WHERE NOT EXISTS (SELECT 1 FROM audit_leaf l WHERE l.stream = 'event' AND l.row_id = e.id);
INSERT INTO audit_seal (at, size, root, jws) SELECT now() - s * interval '1 minute', count(*) - s, md5('root') || md5(s::text), '{}' FROM audit_leaf, generate_series(0, 9) s GROUP BY s ON CONFLICT DO NOTHING;
INSERT INTO notices_notice (user_id, event_id, order_id, verb, link_kind, link_id, "values", followed, at, read_at, mail, attempts, next_attempt_at, last_error)
SELECT u.id, v.id, c.order_id, 'case.submit', 'case', c.id, jsonb_build_object('order', 'PO', 'authority', 'BIS'), false, v.at, CASE WHEN c.n % 10 = 0 THEN NULL ELSE now() END, 'none', 0, now(), ''
FROM filled_case c JOIN audit_event v ON v.subject_kind = 'application' AND v.subject_id = c.id AND v.verb = 'case.submit'
JOIN auth_user u ON u.username = CASE c.n % 3 WHEN 0 THEN 'officer.bis.1' WHEN 1 THEN 'officer.miit.1' ELSE 'seller' END;
INSERT INTO notices_subscription (user_id, order_id, created_at) SELECT u.id, f.id, now() FROM filled f JOIN auth_user u ON u.username IN ('seller', 'auditor') WHERE f.n % 100 = 0;
INSERT INTO web_cases_savedview (user_id, name, query) SELECT id, format('view %s', v), 'state=submitted' FROM auth_user, generate_series(1, 20) v WHERE username = 'officer.bis.1' ON CONFLICT DO NOTHING;
INSERT INTO audit_outboxmessage (topic, subject_kind, subject_id, body, state, attempts, last_error, created_at, next_attempt_at, sent_at)
SELECT 'release', 'shipment', shipment_0 + s, '{}', 'sent', 1, '', now(), now(), now() FROM shipped, cast_of;
INSERT INTO ledger_usagerow (file_sha256, row, accepted, code, body, by, at) SELECT md5((n / 1000)::text), n, true, '', '{}', 'customs.gacc', now() FROM filled;
INSERT INTO audit_received (kind, authority, number, "order", said_at, sha256, signed_by, body, jws, by, at)
SELECT 'twokey.authorisation/1', 'NDRC', format('NDRC-%s', id), format('PO-ELSEWHERE-%s', id), now(), md5(id::text) || md5('received'), 'key', '{}', '{}', 'operator', now() FROM filled;

DO $$ DECLARE t text; BEGIN FOREACH t IN ARRAY ARRAY['cases_order', 'cases_orderline', 'cases_application', 'cases_document', 'cases_decision',
    'cases_batch', 'cases_batchshare', 'audit_signeddocument', 'ledger_balance', 'ledger_authorisation', 'ledger_shipment', 'ledger_shipmentline',
    'ledger_movement', 'parties_organisation'] LOOP EXECUTE format('SELECT setval(pg_get_serial_sequence(%L, ''id''), (SELECT max(id) FROM %I))', t, t); END LOOP; END $$;
DROP TABLE size, cast_of, firm, filled, filled_case, settled, model, granted, shipped
