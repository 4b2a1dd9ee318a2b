# Whatever dies in the middle: no order lost, none issued twice, no serial number twice.
use v5.36;
use warnings FATAL => 'all';

use lib 't/lib';
use SignerBench;
use Test::More;
use Time::HiRes qw(sleep);

my $bench = SignerBench->new;
$bench->configure('batch 16;');

sub settled ($what, @ids) {
  my $list = join ',', @ids;
  ok $bench->wait_for($what, 30,
    sub { $bench->value("SELECT COUNT(*) FROM issuance WHERE id IN ($list) AND state = 'issued'") == @ids }),
    "$what: all are issued"
    or diag $bench->log_of('signer');
  is $bench->value("SELECT COUNT(*) FROM certificate WHERE issuance_id IN ($list)"), @ids, "$what: one certificate each";
  is $bench->value('SELECT COUNT(*) - COUNT(DISTINCT serial) FROM certificate'), 0, "$what: no serial number twice";
  is $bench->value('SELECT COUNT(*) FROM certificate c JOIN issuance i ON i.id = c.issuance_id
    WHERE LOWER(TRIM(LEADING "0" FROM HEX(i.serial))) <> c.serial'), 0, "$what: each with the serial number reserved";
  is $bench->value("SELECT COUNT(*) FROM certificate_order o WHERE o.id IN ($list) AND state <> 'issued'"), 0,
    "$what: their orders say so";
  return;
}

my @killed;
$bench->start_signer;
for my $round (1 .. 8) {
  my @ids = map { $bench->order } 1 .. 6;
  $bench->push_id($_) for @ids;
  push @killed, @ids;
  sleep 0.01 + 0.02 * $round;
  $bench->stop('signer', 'KILL');
  $bench->start_signer;
}
settled('the signer killed eight times', @killed);

my @flushed = map { $bench->order } 1 .. 20;
$bench->push_id($_) for @flushed;
$bench->redis('FLUSHALL');
settled('FLUSHALL', @flushed);

$bench->stop('redis', 'KILL');
my @without = map { $bench->order } 1 .. 5;
settled('no Redis', @without);
$bench->start_redis;
my @again = map { $bench->order } 1 .. 3;
$bench->push_id($_) for @again;
settled('Redis back', @again);

my @stopped = map { $bench->order } 1 .. 20;
$bench->push_id($_) for @stopped;
sleep 0.05;
$bench->stop('mariadb', 'KILL');
sleep 1;
$bench->start_mariadb;
settled('MariaDB killed', @stopped);

# Killed between the two transactions: the row goes on with its own bytes.
$bench->stop('signer');
my $prepared = $bench->order;
$bench->dbh->do(
  "CREATE TRIGGER refuse BEFORE INSERT ON certificate FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'no'");
$bench->start_signer;
ok $bench->wait_state($prepared, 'prepared'), 'a refused INSERT leaves the row prepared';
my $bytes = $bench->value('SELECT HEX(tbs) FROM issuance WHERE id = ?', $prepared);
$bench->stop('signer', 'KILL');
$bench->dbh->do('DROP TRIGGER refuse');
$bench->start_signer;
settled('resumed', $prepared);
my $der = uc unpack 'H*', $bench->value('SELECT der FROM certificate WHERE issuance_id = ?', $prepared);
cmp_ok index($der, $bytes), '>', 0, 'the certificate holds the bytes that were committed before';

# A job that fails for ever does not hold up the others.
my $poison = $bench->order;
$bench->dbh->do("CREATE TRIGGER poison BEFORE INSERT ON certificate FOR EACH ROW
  IF NEW.issuance_id = $poison THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'no'; END IF");
my @healthy = map { $bench->order } 1 .. 10;
$bench->push_id($_) for @healthy, $poison;
settled('beside a poison job', @healthy);
ok $bench->wait_state($poison, 'failed', 60), 'the poison job is put aside' or diag $bench->log_of('signer');
is $bench->value('SELECT attempts FROM issuance WHERE id = ?', $poison), 4, 'after five attempts';
is $bench->value('SELECT state FROM certificate_order WHERE id = ?', $poison), 'paid',
  'its order is back where production can act';
like $bench->log_of('signer'), qr/\[alert\].*issuance $poison was put aside/, 'with an alert';
$bench->dbh->do('DROP TRIGGER poison');
ok $bench->wait_for('CRL', 10,
  sub { $bench->value('SELECT entries FROM crl WHERE issuer = "ec" ORDER BY number DESC LIMIT 1') == 1 }),
  'its serial number is on the CRL';

is $bench->value('SELECT COUNT(*) FROM (SELECT order_id FROM certificate GROUP BY order_id HAVING COUNT(*) > 1) twice'),
  0, 'no order has two certificates';

# Changed bytes are not signed.
$bench->stop('signer');
my $changed = $bench->order;
$bench->dbh->do(
  "CREATE TRIGGER refuse BEFORE INSERT ON certificate FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'no'");
$bench->start_signer;
ok $bench->wait_state($changed, 'prepared'), 'prepared';
$bench->stop('signer');
$bench->dbh->do('DROP TRIGGER refuse');
$bench->dbh->do(q{UPDATE issuance SET tbs = REPLACE(tbs, UNHEX('0302'), UNHEX('0303')) WHERE id = ?}, undef, $changed);
$bench->start_signer;
ok $bench->wait_state($changed, 'failed'), 'bytes that were changed in the database are never signed';
is $bench->value('SELECT COUNT(*) FROM certificate WHERE issuance_id = ?', $changed), 0, 'no certificate';

done_testing;
