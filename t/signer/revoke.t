# Revocation reaches the CRL at once, numbers only grow, and the portal's user cannot touch what the signer made.
use v5.36;
use warnings FATAL => 'all';

use lib 't/lib';
use SignerBench;
use Test::More;

my $bench = SignerBench->new;
my $dir   = $bench->dir;
$bench->configure;

my @ids = map { $bench->order } 1 .. 3;
$bench->start_signer;
ok $bench->wait_state($_, 'issued'), "certificate $_" for @ids;

sub crl ($issuer = 'ec') {
  my ($der, $number, $entries)
    = $bench->dbh->selectrow_array('SELECT der, number, entries FROM crl WHERE issuer = ? ORDER BY number DESC LIMIT 1',
    undef, $issuer);
  $bench->write_file("$issuer.crl", $der);
  my $text = qx(openssl crl -inform DER -in $dir/$issuer.crl -noout -text -CAfile $dir/$issuer.pem 2>&1);
  return {number => $number, entries => $entries, text => $text};
}

my $empty = crl();
is $empty->{entries}, 0, 'the first CRL is empty';
like $empty->{text}, qr/verify OK/,                         'OpenSSL verifies it';
like $empty->{text}, qr/Version 2/,                         'version 2';
like $empty->{text}, qr/X509v3 CRL Number: \n\s+1\n/,       'it is number 1';
like $empty->{text}, qr/Authority Key Identifier/,          'it names its issuer\'s key';
like $empty->{text}, qr/No Revoked Certificates/,           'no entry';

my $web    = $bench->connect('web', 'secret');
my $serial = $bench->value('SELECT serial FROM certificate WHERE issuance_id = ?', $ids[0]);
$web->do("UPDATE certificate SET state = 'revoked', revoked_at = ?, reason = 1 WHERE serial = ?", undef,
  int(time * 1000), $serial);
$bench->push_id('crl');

ok $bench->wait_for('CRL', 5, sub { crl()->{entries} == 1 }), 'a revocation makes a new CRL';
my $one = crl();
like $one->{text}, qr/Serial Number: 0?\Q$serial\E/i, 'it names the certificate';
like $one->{text}, qr/Key Compromise/,                'and why';
cmp_ok $one->{number}, '>', $empty->{number}, 'its number is larger';

$web->do("UPDATE certificate SET state = 'revoked', revoked_at = ?, reason = 0 WHERE issuance_id = ?", undef,
  int(time * 1000), $ids[1]);
ok $bench->wait_for('CRL', 5, sub { crl()->{entries} == 2 }), 'without a message the sweeper sees it';
like crl()->{text}, qr/verify OK/, 'OpenSSL verifies it';

$bench->dbh->do('INSERT INTO certificate_order SELECT 99, "NO99", hall, project, product, service, account_id, unit_id,
  person_id, agent_index, state, version, flow, delivery, amount_fen, paid_fen, profile, years, sale, details_sealed,
  agreement_version, agreement_sha256, agreement_at, materials_sha256, csr, csr_by, spki_sha256, NULL, claim_staff, claim_until, reasons,
  courier, tracking, created_at, updated_at, submitted_at FROM certificate_order WHERE id = 1');
$bench->dbh->do("INSERT INTO issuance (order_id, item, state, profile, years, subject, csr, issuer, serial, next_try_at,
  created_at, updated_at) VALUES (99, NULL, 'failed', 'p', 1, '{}', 'x', 'ec', UNHEX('0123456789ABCDEF0123456789ABCDEF'),
  1, 1, 1700000000000)");
ok $bench->wait_for('CRL', 5, sub { crl()->{text} =~ /0123456789ABCDEF0123456789ABCDEF/i }),
  'what may have been signed and was never stored is revoked';

my %forbidden = (
  'change a certificate'   => 'UPDATE certificate SET der = "x" WHERE id = 1',
  'add a certificate'      => 'INSERT INTO certificate SELECT * FROM certificate LIMIT 0',
  'remove a certificate'   => 'DELETE FROM certificate WHERE id = 1',
  'add an issuer'          => 'INSERT INTO issuer VALUES ("x", "x", 1)',
  'add a CRL'              => 'INSERT INTO crl VALUES ("x", 1, 1, 1, 0, "x")',
  'seal the audit trail'   => 'INSERT INTO audit_seal SELECT * FROM audit_seal LIMIT 0',
  'change an audit row'    => 'UPDATE audit SET detail = NULL WHERE id = 1',
  'remove an audit row'    => 'DELETE FROM audit WHERE id = 1',
  'change a ledger row'    => 'UPDATE issuance SET state = "queued" WHERE id = 1',
  'change an event'        => 'UPDATE order_event SET event = "approve" WHERE id = 1',
  'take a duty away'       => 'DELETE FROM order_duty WHERE order_id = 1',
);
for my $what (sort keys %forbidden) {
  eval { $web->do($forbidden{$what}) };
  like $@, qr/denied/, "the portal cannot $what";
}
my $signer = $bench->connect('signer', 'secret');
eval { $signer->selectrow_array('SELECT legal_name_sealed FROM unit LIMIT 1') };
like $@, qr/denied/, 'the signer does not see sealed columns of a unit';
eval { $signer->selectrow_array('SELECT * FROM account LIMIT 1') };
like $@, qr/denied/, 'nor accounts';

done_testing;
