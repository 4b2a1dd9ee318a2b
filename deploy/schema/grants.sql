-- What each program may do in the database. @DATABASE@, @WEB_USER@ and @SIGNER_USER@ are put in by who installs it.
--
-- The portal cannot make or change a certificate, an issuer, a CRL or a seal of the audit trail, nor rewrite what was
-- recorded. The signer sees no sealed column but those of the orders it issues, which it has no key to open.

-- ---- the portal

GRANT SELECT ON @DATABASE@.* TO @WEB_USER@;

GRANT INSERT, UPDATE ON @DATABASE@.person TO @WEB_USER@;
GRANT INSERT, UPDATE ON @DATABASE@.account TO @WEB_USER@;
GRANT INSERT, UPDATE, DELETE ON @DATABASE@.account_login TO @WEB_USER@;
GRANT INSERT ON @DATABASE@.account_decision TO @WEB_USER@;
GRANT INSERT, UPDATE ON @DATABASE@.phone_change TO @WEB_USER@;
GRANT INSERT, UPDATE ON @DATABASE@.unit TO @WEB_USER@;
GRANT INSERT, UPDATE, DELETE ON @DATABASE@.unit_member TO @WEB_USER@;
GRANT INSERT, UPDATE ON @DATABASE@.unit_request TO @WEB_USER@;
GRANT INSERT, UPDATE ON @DATABASE@.unit_invitation TO @WEB_USER@;
GRANT INSERT ON @DATABASE@.unit_appointment TO @WEB_USER@;
GRANT INSERT, UPDATE (redeemed_at), DELETE ON @DATABASE@.sms_code TO @WEB_USER@;
GRANT INSERT, UPDATE ON @DATABASE@.verification TO @WEB_USER@;
GRANT INSERT, UPDATE ON @DATABASE@.certificate_order TO @WEB_USER@;
GRANT INSERT ON @DATABASE@.order_event TO @WEB_USER@;
GRANT INSERT ON @DATABASE@.order_duty TO @WEB_USER@;
GRANT INSERT, UPDATE ON @DATABASE@.material TO @WEB_USER@;
GRANT INSERT, UPDATE ON @DATABASE@.material_usage TO @WEB_USER@;
GRANT INSERT ON @DATABASE@.inspection TO @WEB_USER@;
GRANT INSERT ON @DATABASE@.material_copy TO @WEB_USER@;
GRANT INSERT, UPDATE ON @DATABASE@.payment TO @WEB_USER@;
GRANT INSERT ON @DATABASE@.issuance TO @WEB_USER@;
GRANT UPDATE (state, revoked_at, reason) ON @DATABASE@.certificate TO @WEB_USER@;
GRANT INSERT, UPDATE, DELETE ON @DATABASE@.idempotency TO @WEB_USER@;
GRANT INSERT ON @DATABASE@.audit TO @WEB_USER@;

-- ---- the signer

GRANT SELECT ON @DATABASE@.certificate_order TO @SIGNER_USER@;
GRANT UPDATE (state, version, updated_at, hold_key, claim_staff, claim_until)
  ON @DATABASE@.certificate_order TO @SIGNER_USER@;
GRANT SELECT, INSERT ON @DATABASE@.order_event TO @SIGNER_USER@;
GRANT SELECT ON @DATABASE@.order_duty TO @SIGNER_USER@;
GRANT SELECT (id, name, uscc) ON @DATABASE@.unit TO @SIGNER_USER@;
GRANT SELECT (order_id, state, amount_fen, decided_by) ON @DATABASE@.payment TO @SIGNER_USER@;
GRANT SELECT, UPDATE ON @DATABASE@.issuance TO @SIGNER_USER@;
GRANT SELECT, INSERT ON @DATABASE@.certificate TO @SIGNER_USER@;
GRANT SELECT, INSERT, DELETE ON @DATABASE@.crl TO @SIGNER_USER@;
GRANT SELECT, INSERT ON @DATABASE@.issuer TO @SIGNER_USER@;
GRANT SELECT, INSERT ON @DATABASE@.audit TO @SIGNER_USER@;
GRANT UPDATE (seal_id) ON @DATABASE@.audit TO @SIGNER_USER@;
GRANT SELECT, INSERT ON @DATABASE@.audit_seal TO @SIGNER_USER@;
