-- 00: the kit's tables under the names the rules use, and the settings as one row.
-- This is the only file that says where tables lie: another engine replaces it (README.md, "Spark and Trino").

CREATE OR REPLACE VIEW fact_settings AS SELECT * FROM read_parquet('facts/settings.parquet');
CREATE OR REPLACE VIEW fact_not_evaluated AS SELECT * FROM read_parquet('facts/not_evaluated.parquet');
CREATE OR REPLACE VIEW fact_channels AS SELECT * FROM read_parquet('facts/channels.parquet');
CREATE OR REPLACE VIEW fact_channel_names AS SELECT * FROM read_parquet('facts/channel_names.parquet');
CREATE OR REPLACE VIEW fact_holidays AS SELECT * FROM read_parquet('facts/holidays.parquet');
CREATE OR REPLACE VIEW fact_shares AS SELECT * FROM read_parquet('facts/shares.parquet');
-- Bills; those that only the books know, because the ledger lists them no more, match payments and are in nobody's scope.
CREATE OR REPLACE VIEW fact_bills AS SELECT * FROM read_parquet('facts/bills.parquet');
CREATE OR REPLACE VIEW listed_bill AS SELECT * FROM fact_bills WHERE listed = 'yes';
CREATE OR REPLACE VIEW fact_bill_numbers AS SELECT * FROM read_parquet('facts/bill_numbers.parquet');
CREATE OR REPLACE VIEW fact_bill_former_codes AS SELECT * FROM read_parquet('facts/bill_former_codes.parquet');
CREATE OR REPLACE VIEW fact_bill_earlier_amounts AS SELECT * FROM read_parquet('facts/bill_earlier_amounts.parquet');
CREATE OR REPLACE VIEW fact_bill_policies AS SELECT * FROM read_parquet('facts/bill_policies.parquet');
CREATE OR REPLACE VIEW fact_known_payments AS SELECT * FROM read_parquet('facts/known_payments.parquet');
CREATE OR REPLACE VIEW fact_status_payments AS SELECT * FROM read_parquet('facts/status_payments.parquet');
CREATE OR REPLACE VIEW fact_unlisted_codes AS SELECT * FROM read_parquet('facts/unlisted_codes.parquet');
CREATE OR REPLACE VIEW fact_malformed_bills AS SELECT * FROM read_parquet('facts/malformed_bills.parquet');
CREATE OR REPLACE VIEW fact_lines AS SELECT * FROM read_parquet('facts/lines.parquet');
CREATE OR REPLACE VIEW fact_files AS SELECT * FROM read_parquet('facts/files.parquet');
CREATE OR REPLACE VIEW fact_inquiries AS SELECT * FROM read_parquet('facts/inquiries.parquet');
CREATE OR REPLACE VIEW fact_settlement_rows AS SELECT * FROM read_parquet('facts/settlement_rows.parquet');
CREATE OR REPLACE VIEW fact_settlement_shares AS SELECT * FROM read_parquet('facts/settlement_shares.parquet');
CREATE OR REPLACE VIEW fact_settlement_malformed AS SELECT * FROM read_parquet('facts/settlement_malformed.parquet');
CREATE OR REPLACE VIEW fact_settlement_totals AS SELECT * FROM read_parquet('facts/settlement_totals.parquet');
CREATE OR REPLACE VIEW fact_payout_names AS SELECT * FROM read_parquet('facts/payout_names.parquet');
CREATE OR REPLACE VIEW fact_bank_lines AS SELECT * FROM read_parquet('facts/bank_lines.parquet');
CREATE OR REPLACE VIEW fact_bank_line_batches AS SELECT * FROM read_parquet('facts/bank_line_batches.parquet');
CREATE OR REPLACE VIEW fact_decisions AS SELECT * FROM read_parquet('facts/decisions.parquet');
CREATE OR REPLACE VIEW fact_decision_grounds AS SELECT * FROM read_parquet('facts/decision_grounds.parquet');
CREATE OR REPLACE VIEW fact_decision_moves AS SELECT * FROM read_parquet('facts/decision_moves.parquet');
CREATE OR REPLACE VIEW fact_decision_taken_off AS SELECT * FROM read_parquet('facts/decision_taken_off.parquet');
CREATE OR REPLACE VIEW fact_decision_payments AS SELECT * FROM read_parquet('facts/decision_payments.parquet');
CREATE OR REPLACE VIEW fact_decision_rows AS SELECT * FROM read_parquet('facts/decision_rows.parquet');
CREATE OR REPLACE VIEW fact_decision_row_payments AS SELECT * FROM read_parquet('facts/decision_row_payments.parquet');
CREATE OR REPLACE VIEW fact_carried_items AS SELECT * FROM read_parquet('facts/carried_items.parquet');
CREATE OR REPLACE VIEW fact_carried_bills AS SELECT * FROM read_parquet('facts/carried_bills.parquet');
CREATE OR REPLACE VIEW fact_carried_bill_events AS SELECT * FROM read_parquet('facts/carried_bill_events.parquet');
CREATE OR REPLACE VIEW fact_carried_debts AS SELECT * FROM read_parquet('facts/carried_debts.parquet');
CREATE OR REPLACE VIEW fact_carried_applied AS SELECT * FROM read_parquet('facts/carried_applied.parquet');
CREATE OR REPLACE VIEW fact_carried_payments AS SELECT * FROM read_parquet('facts/carried_payments.parquet');
CREATE OR REPLACE VIEW fact_carried_aliases AS SELECT * FROM read_parquet('facts/carried_aliases.parquet');
CREATE OR REPLACE VIEW fact_carried_rows AS SELECT * FROM read_parquet('facts/carried_rows.parquet');
CREATE OR REPLACE VIEW fact_carried_batch_days AS SELECT * FROM read_parquet('facts/carried_batch_days.parquet');
CREATE OR REPLACE VIEW fact_carried_bank_lines AS SELECT * FROM read_parquet('facts/carried_bank_lines.parquet');
CREATE OR REPLACE VIEW fact_carried_decisions AS SELECT * FROM read_parquet('facts/carried_decisions.parquet');
CREATE OR REPLACE VIEW fact_carried_alarms AS SELECT * FROM read_parquet('facts/carried_alarms.parquet');

CREATE OR REPLACE VIEW figure_classes AS SELECT * FROM read_parquet('figures/classes.parquet');
CREATE OR REPLACE VIEW figure_identities AS SELECT * FROM read_parquet('figures/identities.parquet');
CREATE OR REPLACE VIEW figure_accounts AS SELECT * FROM read_parquet('figures/accounts.parquet');
CREATE OR REPLACE VIEW figure_ageing AS SELECT * FROM read_parquet('figures/ageing.parquet');
CREATE OR REPLACE VIEW figure_to_do AS SELECT * FROM read_parquet('figures/to_do.parquet');
CREATE OR REPLACE VIEW figure_debts AS SELECT * FROM read_parquet('figures/debts.parquet');
CREATE OR REPLACE VIEW figure_postings AS SELECT * FROM read_parquet('figures/postings.parquet');
CREATE OR REPLACE VIEW figure_open_items AS SELECT * FROM read_parquet('figures/open_items.parquet');
CREATE OR REPLACE VIEW figure_settlement AS SELECT * FROM read_parquet('figures/settlement.parquet');
CREATE OR REPLACE VIEW figure_discrepancies AS SELECT * FROM read_parquet('figures/discrepancies.parquet');
CREATE OR REPLACE VIEW figure_matched AS SELECT * FROM read_parquet('figures/matched.parquet');

CREATE OR REPLACE TABLE setting AS
SELECT
  CAST(max(CASE WHEN name = 'period_from' THEN value END) AS DATE) AS period_from,
  CAST(max(CASE WHEN name = 'period_to' THEN value END) AS DATE) AS period_to,
  CAST(max(CASE WHEN name = 'starts_at_us' THEN value END) AS BIGINT) AS starts_at_us,
  CAST(max(CASE WHEN name = 'ends_at_us' THEN value END) AS BIGINT) AS ends_at_us,
  CAST(max(CASE WHEN name = 'as_of_us' THEN value END) AS BIGINT) AS as_of_us,
  max(CASE WHEN name = 'ledger' THEN value END) AS ledger,
  CAST(max(CASE WHEN name = 'tolerance_rupiah' THEN value END) AS BIGINT) AS tolerance,
  CAST(max(CASE WHEN name = 'expiry_grace_us' THEN value END) AS BIGINT) AS expiry_grace_us,
  CAST(max(CASE WHEN name = 'skew_us' THEN value END) AS BIGINT) AS skew_us,
  max(CASE WHEN name = 'trusts_log' THEN value END) AS trusts_log,
  CAST(max(CASE WHEN name = 'late_notification_us' THEN value END) AS BIGINT) AS late_notification_us,
  CAST(max(CASE WHEN name = 'expired_break_us' THEN value END) AS BIGINT) AS expired_break_us,
  CAST(max(CASE WHEN name = 'status_grace_us' THEN value END) AS BIGINT) AS status_grace_us,
  CAST(max(CASE WHEN name = 'notification_grace_us' THEN value END) AS BIGINT) AS notification_grace_us,
  max(CASE WHEN name = 'has_settlement' THEN value END) AS has_settlement,
  max(CASE WHEN name = 'has_inquiries' THEN value END) AS has_inquiries,
  max(CASE WHEN name = 'is_carried' THEN value END) AS is_carried,
  CAST(max(CASE WHEN name = 'lines_read' THEN value END) AS BIGINT) AS lines_read,
  CAST(max(CASE WHEN name = 'lines_apart' THEN value END) AS BIGINT) AS lines_apart,
  CAST(max(CASE WHEN name = 'bills_in_scope' THEN value END) AS BIGINT) AS bills_in_scope,
  CAST(max(CASE WHEN name = 'bills_in_scope_rupiah' THEN value END) AS BIGINT) AS bills_in_scope_rupiah,
  CAST(NULLIF(max(CASE WHEN name = 'lapse_after_days' THEN value END), '') AS BIGINT) AS lapse_after_days,
  max(CASE WHEN name = 'accept_late' THEN value END) AS accept_late,
  max(CASE WHEN name = 'bank_statement' THEN value END) AS bank_statement,
  CAST(max(CASE WHEN name = 'bank_window_days' THEN value END) AS BIGINT) AS bank_window_days
FROM fact_settings;
