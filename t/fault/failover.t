use v5.36;
use warnings FATAL => 'all';

# The master is lost while people sign in and out: Sentinel makes a replica the master, and the portal, the signer
# behind it too, goes on by itself within seconds. Meanwhile nobody is told of a fault, and whoever was told that a
# session has ended never sees it alive again.

use Caportal::Files qw(folder read_file write_file);
use Caportal::Test;
use Caportal::Test::Edge qw(eventually is_refused raw settled);
use Digest::SHA qw(sha256);
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

use constant { TIMEOUT => 0.4, BACK => 10, CLIENTS => 3, PASSWORD => 'correct horse 7 battery' };

my $portal = Caportal::Test->start(
    watched     => 1,
    edit        => sub ($text) {
        $text =~ s/^(\s*caportal_redis_timeout\s+)\S+;/$1${\ (TIMEOUT * 1000)}ms;/m;
        # An attempt that Redis was lost in stays counted as a failure; here nobody draws letters.
        $text =~ s/^(\s*caportal_captcha\s.*)password=\d+/$1password=0/m;
        return $text =~ s/^(thread_pool caportal_password) .*/$1 threads=4 max_queue=64;/mr;
    },
    edit_signer => sub ($text) { $text =~ s/^(\s*timeout\s+)5s;/${1}2s;/mr },
);
my $stack    = $portal->stack;
my $sentinel = $stack->service('sentinel');
my $notes    = folder($portal->home . '/notes', 0700);
my @phones;

sub ask ($client, $method, $path, $json = undef) {
    my $connection = raw($portal, $client);
    return $connection->ask(
        $json ? $connection->json($method => $path, $json) : $connection->head($method => $path), 10);
}

# Somebody who has a password.
sub person () {
    my ($client, $journey) = $portal->sign_in;
    my $set = $client->request(PUT => '/api/account/password', json => {password => PASSWORD});
    $set->code == 200 or die 'a password: ' . Caportal::Client->describe($set);
    return $journey->{phone};
}

# A session by its token alone.
{
    package Token;
    sub cookie ($self) { return $$self }
}

sub sign_in ($phone) {
    my $answer = ask(undef, POST => '/api/sessions', {method => 'password', login => $phone, password => PASSWORD});
    my ($token) = ($answer->{headers}{'set-cookie'} // '') =~ /\A__Host-caportal=([^;]+)/;
    return ($answer, $token ? bless \$token, 'Token' : undef);
}

# Signs in, looks, signs out, again and again. A line a word that was heard: what was asked, the status, the token.
sub go_on ($number, $phone) {
    open my $file, '>>', "$notes/heard-$number" or die "$notes: $!\n";
    my $note = sub ($what, $answer, $token) {
        my $status = !$answer ? 'none' : $answer->{status};
        $status .= '-without-Retry-After' if $status eq '503' && !$answer->{headers}{'retry-after'};
        syswrite $file, "$what $status " . ($token ? $token->cookie : '-') . "\n";
        return $status;
    };

    while (!-e "$notes/enough") {
        my ($answer, $token) = sign_in($phone);
        if ($note->('in', $answer, $token) ne '201') {
            sleep 0.02;
            next;
        }
        $note->('look', ask($token, GET => '/api/session'), $token);
        $note->('out', ask($token, DELETE => '/api/session'), $token);
    }
    return;
}

sub start_client ($number, $phone) {
    my $pid = fork // die "fork: $!\n";
    return $pid if $pid;
    my $fine = eval { go_on($number, $phone); 1 };
    write_file("$notes/fault-$number", "$@") if !$fine;
    POSIX::_exit($fine ? 0 : 1);
}

sub heard () {
    return map { [split ' '] } map { split /\n/, read_file($_) } glob "$notes/heard-*";
}

# Those whose end was acknowledged.
sub ended () { return map { $_->[2] } grep { $_->[0] eq 'out' && $_->[1] eq '204' } heard() }

sub is_alive ($token) {
    my ($secret, $account) = unpack 'A43 A*', $token;
    return $sentinel->master->command(HEXISTS => "caportal:sessions:$account", sha256($secret)) eq ':1';
}

# Until another is the master than this one and the portal serves by it.
sub is_replaced ($title, $old) {
    my $begin = time;
    ok eventually(sub { $sentinel->master->port != $old->port }, BACK), "$title: a replica is made the master";
    my $made = time - $begin;
    ok eventually(sub { (sign_in($phones[0]))[0]{status} == 201 && ask(undef, GET => '/healthz')->{status} == 200 },
        BACK), "$title: and the portal goes on";
    note sprintf '%s: the new master after %.1f s, sign-in after %.1f s', $title, $made, time - $begin;
    return;
}

# Sentinel would come to it, in ten seconds.
sub copies_from ($service, $master) {
    ok eventually(sub { $sentinel->is_calm }, 20), 'Sentinel has done its work';
    $service->command('REPLICAOF', '127.0.0.1', $master->port);
    ok eventually(sub { $master->command('WAIT', 2, 100) eq ':2' }, 20), 'the lost one comes back as a replica';
    return;
}

@phones = map { person() } 1 .. CLIENTS;
my ($staying) = (sign_in($phones[0]))[1];
is ask($staying, GET => '/api/session')->{status}, 200, 'somebody is signed in';

my @clients = map { start_client($_, $phones[$_]) } 0 .. $#phones;
ok eventually(sub { ended() >= 10 }, 30), 'people come and go';

my $lost = $sentinel->master;
$portal->kill($lost->process->name);
is_replaced('killed', $lost);
my $now = ended();
ok eventually(sub { ended() >= $now + 10 }, 30), 'people come and go again';
is ask($staying, GET => '/api/session')->{status}, 200, 'who was signed in still is';

$portal->restart($lost->process->name);
copies_from($lost, $sentinel->master);

my $journey = $portal->order_until('issued', project => 'medical-insurance', delivery => 'pickup');
ok $journey, 'the signer takes its work from the new master';

write_file("$notes/enough", '');
waitpid $_, 0 for @clients;
is_deeply [map { read_file($_) } glob "$notes/fault-*"], [], 'no client met a fault';

subtest 'what people were told' => sub {
    my %told;
    $told{"$_->[0] $_->[1]"}++ for heard();
    note explain \%told;
    delete @told{'in 201', 'in 503', 'look 200', 'look 503', 'out 204', 'out 503'};
    # A session that was begun at the lost master and had not reached a replica.
    delete @told{'look 401', 'out 401'};
    is_deeply \%told, {}, 'nothing but the answer, or to come again';
};

my @alive = grep { is_alive($_) } ended();
is_deeply \@alive, [], 'of ' . ended() . ' sessions that were ended none is alive';

# The replicas lose the master before it hangs: what it alone knows is lost.
subtest 'without a replica the end of a session is not acknowledged' => sub {
    my $token    = (sign_in($phones[0]))[1];
    my $master   = $sentinel->master;
    my @replicas = grep { $_->port != $master->port } map { $stack->service($_) } qw(redis redis-2 redis-3);

    $_->process->signal('STOP') for @replicas;
    $master->command(CLIENT => KILL => TYPE => 'replica');
    my $out = ask($token, DELETE => '/api/session');
    is_refused($out, 'signing out');
    cmp_ok $out->{seconds}, '<', TIMEOUT + 0.5, 'in time';
    ok !$out->{headers}{'set-cookie'}, 'the cookie stays, to try again with';

    $master->process->signal('STOP');
    $_->process->signal('CONT') for @replicas;
    is_replaced('hanging', $master);
    is ask($token, GET => '/api/session')->{status}, 200, 'the session outlived its end at the master that was lost';
    ok eventually(sub { ask($token, DELETE => '/api/session')->{status} == 204 }, BACK),
        'signing out again, once a replica of the new one answers';
    is ask($token, GET => '/api/session')->{status}, 401, 'is the end of it';
    ok !is_alive($token->cookie), 'at the new master too';

    $master->process->signal('CONT');
    is ask($token, GET => '/api/session')->{status}, 401, 'also when the old one wakes and takes itself for the master';
    is((sign_in($phones[0]))[0]{status}, 201, 'nobody asks it');
};

settled($portal);

done_testing;
