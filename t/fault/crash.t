use v5.36;
use utf8;
use warnings FATAL => 'all';

# Signer, Redis, MariaDB and an nginx worker are killed, and Redis is emptied, while applicants and staff go on. Nothing
# that was answered is lost, nothing is done twice.

use Caportal::Files qw(folder read_file write_file);
use Caportal::Journey;
use Caportal::Test;
use Caportal::Test::Patient;
use Mojo::JSON qw(decode_json);
use Mojo::Util qw(decode encode);
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

use constant {CLIENTS => 5, ORDERS => 40, PASSWORD => 'horse battery 7 staple'};

# A unit may have many orders, and few scans are asked for: it is the number that matters here.
sub many_orders ($text) {
    my $hall = read_file('conf/halls/nmgca.conf');
    $hall =~ s/one_per_unit on;/one_per_unit off;/g;
    $hall =~ s/require( +)licence [^;]*;/require$1licence;/g;
    return $text =~ s{^ *include +halls/\*\.conf;\n}{$hall}mr;
}

my $portal = Caportal::Test->start(
    own_database => 1,
    allow        => qr/\[alert\].*worker process \d+ exited on signal 9/,
    edit         => \&many_orders,
    edit_signer  => sub ($text) { $text =~ s/(sweep_interval +)\S+;/${1}300ms;/r =~ s/(sweep_after +)\S+;/${1}1s;/r },
);
my $folder = folder($portal->home . '/crash', 0700);

# One line each, written at once: who is killed in between has not written half of it.
sub note_down ($number, @words) {
    open my $file, '>>', "$folder/told-$number" or die "$folder: $!\n";
    syswrite $file, "@words\n" or die "$folder: $!\n";
    close $file;
    return;
}

{
    # A journey whose applicant and staff are patient.
    package Journey;
    use parent -norequire, 'Caportal::Journey';

    sub client ($self, $server, %certificate) {
        my $at = $self->{addresses};
        return Caportal::Test::Patient->new(base => $at->{$server}, ca => $at->{server_ca}, told => $self->{told},
            %certificate);
    }
}

sub go_on ($number) {
    my $told  = sub (@words) { note_down($number, @words) };
    my $first = Journey->new(addresses => $portal->addresses, folder => "$folder/client-$number", told => $told);
    $first->step($_) for qw(registry sms_code sign_in person organization);

    my $applicant = $first->applicant;
    my $set = $applicant->request(PUT => '/api/account/password', json => {password => PASSWORD});
    die 'setting a password: ' . $applicant->describe($set) if $set->code != 200;
    $applicant->{login} = [$first->{phone}, PASSWORD];
    note_down($number, 'ready');

    for (my $n = 1; !-e "$folder/enough"; $n++) {
        my $journey = Journey->new(addresses => $portal->addresses, folder => "$folder/order-$number-$n", told => $told,
            map { $_ => $first->{$_} } qw(person company phone));
        $journey->{applicant} = $applicant;
        $journey->{staff}     = $first->{staff} //= {};
        $journey->{unit}      = $first->{unit};
        $journey->{done}{$_}  = 1 for qw(registry sms_code sign_in person organization);
        $journey->until_state('paid');
    }
    my $repeated = 0;
    $repeated += $_->repeated for $applicant, values %{ $first->{staff} };
    note_down($number, 'repeated', $repeated);
    return;
}

sub start_client ($number) {
    my $pid = fork // die "fork: $!\n";
    return $pid if $pid;
    srand;
    my $fine = eval { go_on($number); 1 };
    write_file("$folder/fault-$number", encode('UTF-8', "$@")) if !$fine;
    POSIX::_exit($fine ? 0 : 1);
}

# The database may be away just now.
sub look ($sql) {
    return eval { $portal->value($sql) } // -1;
}

sub wait_for ($what, $seconds, $condition) {
    my $end = time + $seconds;
    while (!$condition->()) {
        return fail "$what within $seconds s" if time > $end || glob "$folder/fault-*";
        sleep 0.02;
    }
    return pass $what;
}

sub paid_orders () { return look('SELECT COUNT(*) FROM certificate_order WHERE paid_fen > 0') }
sub queued ()      { return look(q{SELECT COUNT(*) FROM issuance WHERE state = 'queued'}) }

# More orders are paid than now.
sub and_on ($what, $more = 4) {
    my $now = paid_orders();
    return wait_for("$what: $more more orders are paid", 20, sub { paid_orders() >= $now + $more });
}

sub kill_worker () {
    my $master = $portal->process('nginx')->pid;
    my ($worker) = split ' ', read_file("/proc/$master/task/$master/children");
    kill KILL => $worker;
    return;
}

my @clients = map { start_client($_) } 1 .. CLIENTS;
wait_for('orders are being paid', 30, sub { paid_orders() >= 4 });

$portal->kill('signer');
and_on('no signer');
cmp_ok queued(), '>=', 4, 'orders are queued';
is $portal->redis('FLUSHALL'), '+OK', 'and Redis is emptied';
and_on('Redis empty');
$portal->restart('signer');

$portal->kill('redis');
sleep 0.3;
$portal->restart('redis');
and_on('Redis killed');

$portal->kill('signer');
$portal->restart('signer');
kill_worker();
and_on('signer and worker killed');

$portal->kill('mariadb');
sleep 0.3;
$portal->restart('mariadb');
and_on('MariaDB killed');

kill_worker();
$portal->kill('mariadb');
$portal->kill('signer');
$portal->kill('redis');
$portal->restart($_) for qw(redis mariadb signer);
and_on('all killed');

wait_for(ORDERS . ' orders are paid', 30, sub { paid_orders() >= ORDERS });
write_file("$folder/enough", '');
my @failed = grep { waitpid($_, 0); $? } @clients;
is_deeply \@failed, [], 'every client got all its answers'
    or diag map { decode('UTF-8', read_file($_)) } glob "$folder/fault-*";

my $report = decode_json(eval { $portal->ctl('reconcile') } // '{}');
is $report->{paid}, $report->{issued} + $report->{queued}, 'paid = issued + queued' or diag explain $report;
is $report->{$_}, 0, "none $_" for qw(lost failed issued_unpaid issued_twice difference);

wait_for('all are issued', 30,
    sub { look(q{SELECT COUNT(*) FROM certificate_order WHERE state = 'issued'}) == paid_orders() });
is look(q{SELECT COUNT(*) FROM certificate_order WHERE state NOT IN ('issued', 'draft')}), 0, 'no order is half way';

is look('SELECT COUNT(*) - COUNT(DISTINCT issuer, serial) FROM certificate'), 0, 'no serial number twice';
is look('SELECT COUNT(*) - COUNT(DISTINCT order_id) FROM certificate'), 0, 'no order has two certificates';
is look('SELECT COUNT(*) FROM certificate'), paid_orders(), 'each has one';
is look(q{SELECT COUNT(*) FROM issuance WHERE state <> 'issued'}), 0, 'the ledger agrees';
is look('SELECT COUNT(*) FROM certificate_order o WHERE paid_fen <> amount_fen OR paid_fen <>
    (SELECT SUM(amount_fen) FROM payment p WHERE p.order_id = o.id AND p.state = "confirmed")'), 0,
    'each was paid once';

subtest 'what was answered is true' => sub {
    my ($told, $repeated) = (0, 0);
    my %happened = map { ("$_->{no} $_->{to_state}" => 1) }
        @{ $portal->rows('SELECT o.no, e.to_state FROM order_event e JOIN certificate_order o ON o.id = e.order_id') };
    my @untrue;

    for my $line (map { split /\n/, read_file($_) } glob "$folder/told-*") {
        my ($no, $state) = split ' ', $line;
        $repeated += $state if $no eq 'repeated';
        next if $no !~ /\d/;
        $told++;
        push @untrue, $line if !$happened{"$no $state"};
    }
    cmp_ok $told, '>', ORDERS * 5, "$told answers";
    cmp_ok $repeated, '>', 0, "$repeated requests were repeated";
    is_deeply \@untrue, [], 'each state that was told is in the history';
};

subtest 'histories' => sub {
    my (%state, @broken);
    for my $event (@{ $portal->rows('SELECT order_id, event, from_state, to_state FROM order_event ORDER BY id') }) {
        my $id = $event->{order_id};
        push @broken, $event if ($state{$id} // '') ne ($event->{from_state} // '');
        $state{$id} = $event->{to_state};
    }
    is_deeply \@broken, [], 'each event begins in the state in which the one before ended';

    my %now = map { $_->{id} => $_->{state} } @{ $portal->rows('SELECT id, state FROM certificate_order') };
    is_deeply \%state, \%now, 'and each order is in the state of its last event';
    is look(q{SELECT COUNT(*) FROM (SELECT order_id, event FROM order_event
        WHERE event IN ('submit', 'approve', 'payment_confirm', 'issue_done')
        GROUP BY order_id, event HAVING COUNT(*) > 1) twice}), 0, 'no step was taken twice';
};

subtest 'certificates' => sub {
    my @files = map { write_file("$folder/$_->{serial}.cer", $_->{der}) }
        @{ $portal->rows('SELECT serial, der FROM certificate') };
    my @pem = map { my $pem = s/cer\z/pem/r; system qw(openssl x509 -inform DER -in), $_, '-out', $pem; $pem } @files;
    my @said = qx(openssl verify -CAfile $portal->{addresses}{ca} @pem 2>&1);
    is_deeply [grep { !/: OK$/ } @said], [], 'openssl verifies all';
    is @said, @files, 'of them';
};

# The signer seals the audit trail once a second.
my $trail;
wait_for('the audit trail is sealed', 10, sub {
    $trail = decode_json($portal->ctl('audit', 'verify'));
    return $trail->{unsealed} == 0;
});
is $trail->{fault}, undef, 'and whole';
is look('SELECT COUNT(*) FROM order_event'),
    look(q{SELECT COUNT(*) FROM audit WHERE object_kind = 'order' AND action LIKE 'order.%'}),
    'an audit row for each event';

is $portal->process('nginx')->pid ? 1 : 0, 1, 'nginx runs';
done_testing;
