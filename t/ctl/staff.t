use v5.36;
use utf8;
use warnings FATAL => 'all';

# Members of staff come, change and go by caportalctl; the desk follows at once. Reconciling finds what does not add up.

use Caportal::Test;
use Mojo::JSON qw(decode_json);
use Test::More;

my $portal = Caportal::Test->start;

sub ctl (@words) {
    my $output = eval { $portal->ctl(@words) };
    return defined $output ? (1, $output) : (0, $@);
}

my %staff = map { $_->{name} => $_ } @{ decode_json($portal->ctl('staff', 'list')) };
is keys %staff, 7, 'seven members of staff';
is_deeply $staff{finance}{roles}, ['finance'], 'with their roles';

my $certificate = $portal->addresses->{staff}[0]{cert};
my @add = ('staff', 'add', '--name', 'again', '--roles', 'finance', '--certificate');
my @refusals = (
    [qr/has this certificate already/, @add, $certificate],
    [qr/cannot be read/,               @add, '/nowhere.pem'],
    [qr/no certificate in PEM/,        @add, '/etc/passwd'],
    [qr/is no role/, 'staff', 'add', '--name', 'x', '--roles', 'king', '--certificate', $certificate],
    [qr/1 to 50 characters/, 'staff', 'add', '--name', '', '--roles', 'finance', '--certificate', $certificate],
    [qr/no ID number/, @add, $certificate, '--id-number', '110101199003070000'],
    [qr/no active member/, 'staff', 'disable', 'nobody'],
);
for my $case (@refusals) {
    my ($pattern, @words) = @$case;
    my ($good, $output) = ctl(@words);
    ok !$good && $output =~ $pattern, "refused: $pattern" or diag $output;
}
is $portal->value('SELECT COUNT(*) FROM staff'), 7, 'nobody was added';

my $client = $portal->staff('finance');
is $client->get('/staff/api/payments')->code, 200, 'finance sees payments';

ok +(ctl('staff', 'roles', $staff{finance}{id}, '--roles', 'reviewer,shipper'))[0], 'other roles';
is $client->get('/staff/api/payments')->code, 403, 'the next call knows';

ok +(ctl('staff', 'disable', $staff{finance}{id}))[0], 'disabled';
isnt $client->get('/staff/api/session')->code, 200, 'the next call knows that too';
ok !+(ctl('staff', 'disable', $staff{finance}{id}))[0], 'disabled once is enough';

my $actions = $portal->rows('SELECT action FROM audit WHERE object_kind = "staff" AND object_id = ? ORDER BY id',
    $staff{finance}{id});
is_deeply [map { $_->{action} } @$actions], ['staff.add', 'staff.roles', 'staff.disable'], 'all of it is in the trail';

is decode_json($portal->ctl('reconcile'))->{difference}, 0, 'an empty portal adds up';
my $journey = $portal->order_until('submitted');
$portal->change('UPDATE certificate_order SET state = "paid", paid_fen = amount_fen WHERE no = ?', $journey->no);
my ($good, $output) = ctl('reconcile');
ok !$good, 'a paid order that has its request and no place in the ledger is found';
like $output, qr/"lost": 1/, 'as lost';

done_testing;
