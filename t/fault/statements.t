use v5.36;
use warnings FATAL => 'all';

# Every statement that changes something fails once, in every step of an order: nothing of the step stays, and the same
# step goes through afterwards.

use Caportal::Files qw(random_text);
use Caportal::Test;
use Test::More;

my $portal = Caportal::Test->start;

my @change = (['certificate_order', 'UPDATE'], ['order_event', 'INSERT'], ['audit', 'INSERT']);
my @keyed  = (['idempotency', 'INSERT'], @change, ['idempotency', 'UPDATE']);

# Each step of a journey and all that it writes.
my @steps = (
    [create    => ['idempotency', 'INSERT'], ['certificate_order', 'INSERT'], ['order_event', 'INSERT'],
        ['audit', 'INSERT'], ['idempotency', 'UPDATE']],
    [fill_in   => @change],
    [materials => @change, ['material', 'INSERT'], ['material_usage', 'INSERT']],
    [agreement => @change],
    [csr       => @change],
    [submit    => @keyed],
    [claim     => @change, ['order_duty', 'INSERT']],
    [approve   => @keyed],
    [payment   => @keyed, ['payment', 'INSERT']],
    [voucher   => @change, ['payment', 'UPDATE']],
    [confirm   => @keyed, ['payment', 'UPDATE'], ['order_duty', 'INSERT'], ['issuance', 'INSERT']],
    [ship      => @keyed, ['order_duty', 'INSERT']],
    [complete  => @keyed],
    [revoke    => ['idempotency', 'INSERT'], ['certificate', 'UPDATE'], ['certificate_order', 'UPDATE'],
        ['audit', 'INSERT'], ['idempotency', 'UPDATE']],
);

my @tables = map { $_->{name} } @{ $portal->rows(
    q{SELECT table_name AS name FROM information_schema.tables WHERE table_schema = DATABASE()}) };

sub contents () {
    my $list = join ', ', map {"`$_`"} @tables;
    return {map { ($_->{Table} =~ s/.*\.//r) => $_->{Checksum} } @{ $portal->rows("CHECKSUM TABLE $list EXTENDED") }};
}

# As a deadlock would end it; an operation is tried again after one, and this one does not go away.
sub with_failing ($table, $verb, $run) {
    $portal->change("CREATE TRIGGER fails BEFORE $verb ON $table FOR EACH ROW"
        . q{ SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1213, MESSAGE_TEXT = 'made to fail'});
    my $failed = !eval { $run->(); 1 };
    my $why    = $@;
    $portal->change('DROP TRIGGER fails');
    return $failed ? $why : 'it succeeded';
}

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

    subtest $name => sub {
        my $before = contents();
        for my $write (@writes) {
            my ($table, $verb) = @$write;
            like with_failing($table, $verb, $run), qr/got 503/, "$verb of $table fails: 503";
            is_deeply contents(), $before, 'and nothing stays';
        }

        ok eval { $run->(); 1 }, 'then it goes through' or diag $@;
        my $after   = contents();
        my %written = map { $_->[0] => 1 } @writes;
        is_deeply [grep { $after->{$_} ne $before->{$_} && !$written{$_} } @tables], [], 'all that it writes was tried';
    };

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
