use v5.36;
use warnings FATAL => 'all';

# Portal and signer do not agree on the time: a row from a clock a day ahead or behind is issued all the same, with a
# validity by the signer's clock, and a row that was prepared before the clock was put right goes on.

use lib 't/lib';
use SignerBench;
use Test::More;
use Time::HiRes qw(time);

use constant DAY => 86_400_000;

my $bench = SignerBench->new;
$bench->configure;

sub now () { return int(time * 1000) }

# The row as a portal with another clock had written it.
sub written_at ($id, $at) {
    $bench->dbh->do('UPDATE issuance SET next_try_at = ?, created_at = ?, updated_at = ? WHERE id = ?', undef, $at, $at,
        $at, $id);
    return $id;
}

sub not_before ($id) { return $bench->value('SELECT not_before FROM certificate WHERE issuance_id = ?', $id) }

my %row = (
    'a day ahead'       => written_at($bench->order, now() + DAY),
    'ten minutes ahead' => written_at($bench->order, now() + 600_000),
    'right'             => $bench->order,
    'ten minutes late'  => written_at($bench->order, now() - 600_000),
    'a day late'        => written_at($bench->order, now() - DAY),
);
$bench->push_id($_) for values %row;
$bench->start_signer;
for my $title (sort keys %row) {
    ok $bench->wait_state($row{$title}, 'issued'), "$title: issued" or diag $bench->log_of('signer');
    my $age = now() - not_before($row{$title});
    cmp_ok $age, '>', 0, "$title: valid already";
    cmp_ok $age, '<', 600_000, "$title: since a few minutes";
}

# Prepared, then the signer's clock moves by less than a day: the committed bytes are signed as they are.
$bench->stop('signer');
$bench->dbh->do(
    "CREATE TRIGGER refuse BEFORE INSERT ON certificate FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'no'");
my @prepared = map { $bench->order } 1 .. 2;
$bench->push_id($_) for @prepared;
$bench->start_signer;
ok $bench->wait_state($_, 'prepared'), 'prepared' for @prepared;
$bench->stop('signer', 'KILL');
my %bytes = map { $_ => $bench->value('SELECT HEX(tbs) FROM issuance WHERE id = ?', $_) } @prepared;
written_at($prepared[0], now() - 23 * 3_600_000);
written_at($prepared[1], now() + 23 * 3_600_000);
$bench->dbh->do('DROP TRIGGER refuse');
$bench->push_id($_) for @prepared;
$bench->start_signer;
for my $id (@prepared) {
    ok $bench->wait_state($id, 'issued'), 'issued' or diag $bench->log_of('signer');
    my $der = uc unpack 'H*', $bench->value('SELECT der FROM certificate WHERE issuance_id = ?', $id);
    cmp_ok index($der, $bytes{$id}), '>', 0, 'with the bytes that were committed';
}
is $bench->value(q{SELECT COUNT(*) FROM issuance WHERE state <> 'issued'}), 0, 'none is lost';

done_testing;
