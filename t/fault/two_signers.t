use v5.36;
use warnings FATAL => 'all';

# Two signers on one queue, one of them killed on the way: each order gets one certificate, whoever makes it.

use lib 't/lib';
use SignerBench;
use Test::More;
use Time::HiRes qw(sleep);

use constant ORDERS => 60;

my $bench = SignerBench->new;
my $first = $bench->configure('batch 4;');

open my $file, '<', $first or die "$first: $!\n";
my $text = do { local $/ = undef; <$file> };
$bench->write_file('second.conf', $text =~ s/consumer test;/consumer second;/r);

sub issued ($from, $to) {
    return $bench->value(
        q{SELECT COUNT(*) FROM certificate_order WHERE state = 'issued' AND id BETWEEN ? AND ?}, $from, $to);
}

sub settled ($what, $from, $to) {
    my $count = $to - $from + 1;
    ok $bench->wait_for($what, 30, sub { issued($from, $to) == $count }), "$what: all are issued"
        or diag $bench->log_of('signer'), $bench->log_of('second');
    is $bench->value('SELECT COUNT(*) FROM certificate'), $to, "$what: a certificate for each";
    is $bench->value('SELECT COUNT(DISTINCT order_id) FROM certificate'), $to, "$what: one each";
    is $bench->value('SELECT COUNT(DISTINCT issuer, serial) FROM certificate'), $to, "$what: no serial number twice";
    is $bench->value(q{SELECT COUNT(*) FROM certificate c JOIN issuance i ON i.id = c.issuance_id
        WHERE LOWER(TRIM(LEADING '0' FROM HEX(i.serial))) <> c.serial OR i.state <> 'issued'}), 0,
        "$what: as the ledger says";
    is $bench->value(q{SELECT COUNT(*) FROM (SELECT order_id FROM order_event WHERE event LIKE 'issue%'
        GROUP BY order_id, event HAVING COUNT(*) > 1) twice}), 0, "$what: nothing happened twice";
    return;
}

# Everything is queued, and told to both, before they begin.
my @ids = map { $bench->order } 1 .. ORDERS;
$bench->push_id($_) for @ids, @ids;
$bench->start_signer($_) for qw(signer second);
$bench->wait_for('a start', 10, sub { issued(1, ORDERS) > 0 });
settled('side by side', 1, ORDERS);
for my $name (qw(signer second)) {
    like $bench->log_of($name), qr/issued [1-9]\d* of/, "$name took part";
}

# One is killed with entries in its hands; nobody waits for its return.
my @more = map { $bench->order } 1 .. ORDERS;
$bench->push_id($_) for @more;
sleep 0.02;
$bench->stop('second', 'KILL');
settled('one killed', ORDERS + 1, 2 * ORDERS);

unlike $bench->log_of($_), qr/\[alert\]/, "$_ has nothing alarming to say" for qw(signer second);

done_testing;
