# From a ledger row to a certificate that OpenSSL accepts; what lacks evidence is put aside.
use v5.36;
use warnings FATAL => 'all';
use utf8;

use lib 't/lib';
use SignerBench;
use Test::More;

my $bench = SignerBench->new;
my $dir   = $bench->dir;
$bench->configure;

is system("build/caportal-signer -c $dir/signer.conf -t 2>/dev/null"), 0, 'the configuration is good';

my $first = $bench->order;
$bench->start_signer;

ok $bench->wait_state($first, 'issued'), 'a committed row is issued without a word in the stream' or diag $bench->log_of('signer');

my $rsa = $bench->order(kind => 'rsa');
$bench->push_id($rsa);
ok $bench->wait_state($rsa, 'issued'), 'an RSA request is issued';
is $bench->value('SELECT issuer FROM certificate WHERE issuance_id = ?', $rsa), 'rsa', 'by the issuer of its kind';

my $free = $bench->order(free => 1);
$bench->push_id($free);
ok $bench->wait_state($free, 'issued'), 'a free order is issued without a payment';

for my $id ($first, $rsa) {
  my ($der, $issuer) = $bench->dbh->selectrow_array('SELECT der, issuer FROM certificate WHERE issuance_id = ?', undef, $id);
  $bench->write_file("$id.der", $der);
  $bench->run("openssl x509 -inform DER -in $dir/$id.der -out $dir/$id.pem");
  is system("openssl verify -x509_strict -purpose sslclient -CAfile $dir/$issuer.pem $dir/$id.pem >/dev/null 2>&1"), 0,
    "openssl verify accepts certificate $id";
  my $text = qx(openssl x509 -in $dir/$id.pem -noout -text -nameopt utf8,sep_comma_plus);
  utf8::decode($text);
  like $text, qr/Subject: C=CN,O=内蒙古测试第${id}有限公司,CN=内蒙古测试第${id}有限公司/, 'the subject is the unit';
  like $text, qr/Digital Signature, Non Repudiation/, 'key usage';
  like $text, qr/TLS Web Client Authentication, E-mail Protection/, 'extended key usage';
  like $text, qr/1\.2\.156\.10260\.4\.1\.4/, 'the code of the unit';
  like $text, qr{URI:http://ca\.example/crl/$issuer\.crl}, 'CRL distribution point';
}

is $bench->value('SELECT state FROM certificate_order WHERE id = ?', $first), 'issued', 'the order moved on';
is $bench->value("SELECT GROUP_CONCAT(event ORDER BY id) FROM order_event WHERE order_id = ? AND actor_kind = 'system'",
  $first), 'issue_start,issue_done', 'its history says so';

my %broken = (
  no_review       => {no_review => 1},
  review_undone   => {submitted_again => 1},
  no_duty         => {no_duty => 1},
  no_payment      => {no_payment => 1},
  payment_open    => {payment_state => 'pending'},
  paid_too_little => {paid => 25999},
  not_ready       => {state => 'submitted'},
  other_subject   => {subject => '{"C":"CN","CN":"别的公司","O":"别的公司","uscc":"91150000MA00000010"}'},
  other_request   => {ledger_csr => $bench->request},
  no_profile      => {profile => 'unknown'},
);
for my $what (sort keys %broken) {
  my $id = $bench->order(%{$broken{$what}});
  $bench->push_id($id);
  ok $bench->wait_state($id, 'failed'), "$what: put aside";
  is $bench->value('SELECT COUNT(*) FROM issuance WHERE id = ? AND serial IS NOT NULL', $id), 0, "$what: no serial number";
}
my $twin = $bench->order(csr => $bench->value('SELECT csr FROM issuance WHERE id = ?', $first));
$bench->push_id($twin);
ok $bench->wait_state($twin, 'failed'), 'a key that another certificate has: put aside';

ok $bench->wait_for('seals', 5, sub { $bench->value('SELECT COUNT(*) = 0 FROM audit WHERE seal_id IS NULL') }),
  'audit rows are sealed';

my @many = map { $bench->order } 1 .. 70;
$bench->push_id($_) for @many;
ok $bench->wait_state($many[-1], 'issued', 30), 'more than a batch';
ok $bench->wait_for('all', 10, sub { !$bench->value("SELECT COUNT(*) FROM issuance WHERE state IN ('queued', 'prepared')") }),
  'all of it';
is $bench->value('SELECT COUNT(DISTINCT serial) - COUNT(*) FROM certificate'), 0, 'no serial number twice';
is $bench->redis('XLEN', 'caportal:issuance'), 0, 'the stream is empty';

is $bench->stop('signer'), 0, 'it stops when told';
unlike $bench->log_of('signer'), qr/测试|9115/, 'the log names no unit';

done_testing;
