use v5.36;
use warnings FATAL => 'all';

# Every statement that changes something fails once, in every step of an order: nothing of the step stays, and the same
# step goes through afterwards.

use Caportal::Files qw(random_text);
use Caportal::Test;
use Caportal::Test::Statements qw(writes_all_or_nothing);
use Test::More;

my $portal = Caportal::Test->start;

my @change = (['certificate_order', 'UPDATE'], ['order_event', 'INSERT'], ['audit', 'INSERT']);
my @keyed  = (['idempotency', 'INSERT'], @change, ['idempotency', 'UPDATE']);

# Each step of a journey and all that it writes.
my @steps = (
    [create    => ['idempotency', 'INSERT'], ['certificate_order', 'INSERT'], ['order_event', 'INSERT'],
        ['audit', 'INSERT'], ['idempotency', 'UPDATE']],
    [fill_in   => @change],
    [materials => @change, ['material', 'INSERT'], ['material_usage', 'INSERT'], ['inspection', 'INSERT'],
        ['material_copy', 'INSERT']],
    [agreement => @change],
    [csr       => @change],
    [submit    => @keyed],
    [claim     => @change, ['order_duty', 'INSERT']],
    [approve   => @keyed],
    [payment   => @keyed, ['payment', 'INSERT']],
    [voucher   => @change, ['payment', 'UPDATE'], ['inspection', 'INSERT'], ['material_copy', 'INSERT']],
    [confirm   => @keyed, ['payment', 'UPDATE'], ['order_duty', 'INSERT'], ['issuance', 'INSERT']],
    [ship      => @keyed, ['order_duty', 'INSERT']],
    [complete  => @keyed],
    [revoke    => ['idempotency', 'INSERT'], ['certificate', 'UPDATE'], ['certificate_order', 'UPDATE'],
        ['audit', 'INSERT'], ['idempotency', 'UPDATE']],
);

my $journey = $portal->journey;
$journey->step($_) for qw(registry sms_code sign_in person organization catalog);
$portal->process('signer')->stop;

sub revoke () {
    my $answer = $portal->staff('administrator')->post("/staff/api/certificates/$journey->{serial}/revoke",
        {reason => 'superseded'}, key => random_text(16));
    die 'got ' . $answer->code . "\n" if $answer->code != 200;
    return;
}

for my $row (@steps) {
    my ($name, @writes) = @$row;
    my $run = $name eq 'revoke' ? \&revoke : sub { $journey->step($name) };

    subtest $name => sub { writes_all_or_nothing($portal, $run, @writes) };

    if ($name eq 'confirm') {
        $portal->restart('signer');
        ok eval { $journey->step('issued'); 1 }, 'the certificate is issued' or diag $@;
        sleep 2;    # the trail is sealed
        $portal->process('signer')->stop;
    }
}

is $portal->value('SELECT COUNT(*) FROM certificate'), 1, 'one certificate';
is $portal->value(q{SELECT COUNT(*) FROM payment WHERE state = 'confirmed'}), 1, 'one payment';
ok $portal->ctl('reconcile'), 'and the sums agree';

done_testing;
