use v5.36;
use warnings FATAL => 'all';

# A full pool refuses at once and says when to come again; what waits in one pool holds up no other.

use Caportal::Sample qw(new_phone);
use Caportal::Test;
use Caportal::Test::Edge qw(eventually is_refused raw settled);
use Test::More;
use Time::HiRes qw(sleep);

use constant { THREADS => 2, QUEUE => 3 };

my $portal = Caportal::Test->start(edit => sub ($text) {
    $text =~ s{^(thread_pool \S+)\s+threads=\d+ max_queue=\d+}{"$1 threads=${\ THREADS} max_queue=${\ QUEUE}"}gme;
    $text =~ s{(caportal_egress_timeout +)\S+;}{${1}60s;};
    $text =~ s{password=3}{password=0};    # wrong ones are but work here
    return $text =~ s{^worker_processes.*}{worker_processes 1;}mr;
});
my ($client, $journey) = $portal->sign_in;

# So many at the same time; their answers.
sub at_once ($count, $bytes) {
    my @connections = map { raw($portal, $client) } 1 .. $count;
    $_->send($bytes->($_)) for @connections;
    return @connections;
}

sub code ($connection, $phone = new_phone()) {
    return $connection->json(POST => '/api/sms-codes', {phone => $phone, purpose => 'login'});
}

# The provider takes messages and does not say so before it is let go.
sub hold ($held = $portal) {
    return $held->sandbox(post => '/faults', json => {sms => {delay_ms => 60_000, times => 1000}});
}

sub counted (@answers) {
    my %count;
    $count{ $_ ? $_->{status} : 'none' }++ for @answers;
    return \%count;
}

# Connections to this portal's database; others' are served by the same server.
sub waiting_for_tables () {
    return $portal->value(q{SELECT COUNT(*) FROM information_schema.processlist WHERE db = DATABASE()
        AND state LIKE 'Waiting for table%'});
}

subtest 'the outside hangs' => sub {
    hold();
    my @phones  = map { new_phone() } 1 .. THREADS;
    my @waiting = map { my $phone = $_; at_once(1, sub ($c) { code($c, $phone) }) } @phones;
    ok $portal->wait_for_messages($_, 1), 'a thread waits for the provider' for @phones;
    push @waiting, at_once(QUEUE, \&code);
    sleep 0.5;

    my @refused = map { $_->answer } at_once(10, \&code);
    is_deeply counted(@refused), {503 => 10}, 'the pool and its queue are full';
    is_refused($refused[$_], "refused: $_") for 0, 9;
    like $refused[0]{body}, qr/"code":"busy"/, 'because it is busy';
    like $refused[0]{headers}{'content-type'}, qr{\Aapplication/problem\+json}, 'as every problem';
    is $refused[0]{headers}{connection}, 'keep-alive', 'on a connection that stays';

    my @others = map {
        my $path = $_;
        map { $_->answer } at_once(1, sub ($c) { $c->head(GET => $path) });
    } ('/api/session', '/api/orders', '/api/catalog', '/healthz', '/api/certificates') x 4;
    is_deeply counted(@others), {200 => 20}, 'whoever needs only the database is served meanwhile';

    my $sign_in = raw($portal);
    is $sign_in->ask($sign_in->json(POST => '/api/sessions', {method => 'password', login => new_phone(),
        password => 'wrong one'}))->{status}, 401, 'so are passwords';

    $portal->sandbox(delete => '/faults');
    is_deeply counted(map { $_->answer(20) } @waiting), {202 => THREADS + QUEUE}, 'those who wait get their answer';
    is_deeply counted(map { $_->answer } at_once(1, \&code)), {202 => 1}, 'then there is room again';
};

# Codes and certificates need no hash: they wait in no queue of those who do, which is held here by a table that only
# the look-up of a user name asks.
subtest 'too many sign in by password' => sub {
    my $nobody  = 0;
    my $by_name = sub ($c) {
        $nobody++;
        $c->json(POST => '/api/sessions', {method => 'password', login => "nobody.$nobody", password => 'wrong one'});
    };
    $portal->forget_limits;
    $journey->step('sms_code');
    my $by_code = {method => 'sms', phone => $journey->{phone}, code => $journey->code};

    $portal->database->do('LOCK TABLES account_login WRITE');
    my @waiting = at_once(THREADS, $by_name);
    ok eventually(sub { waiting_for_tables() == THREADS }), 'every thread of theirs stands still';
    push @waiting, at_once(QUEUE, $by_name);
    my ($orders) = at_once(1, sub ($c) { $c->head(GET => '/api/orders') });
    is $orders->answer->{status}, 200, 'orders are shown meanwhile';

    my @refused = map { $_->answer } at_once(10, $by_name);
    is_deeply counted(@refused), {503 => 10}, 'no more passwords are looked at';
    is_refused($refused[0], 'which is said politely');
    my $visitor = raw($portal);
    is $visitor->ask($visitor->json(POST => '/api/sessions', $by_code))->{status}, 201, 'a code signs in';

    $portal->database->do('UNLOCK TABLES');
    is_deeply counted(map { $_->answer } @waiting), {401 => THREADS + QUEUE}, 'those who wait are told';
    is_deeply counted(map { $_->answer } at_once(1, $by_name)), {401 => 1}, 'then there is room';
};

subtest 'the database is slow' => sub {
    $portal->database->do('LOCK TABLES certificate_order WRITE');
    my @waiting = at_once(THREADS, sub ($c) { $c->head(GET => '/api/orders') });
    ok eventually(sub { waiting_for_tables() == THREADS }), 'threads wait for a table';
    push @waiting, at_once(QUEUE, sub ($c) { $c->head(GET => '/api/orders') });
    sleep 0.5;
    my @refused = map { $_->answer } at_once(5, sub ($c) { $c->head(GET => '/api/orders') });
    is_refused($_, 'one more') for @refused;

    my $guarded = raw($portal, $client);
    is $guarded->ask($guarded->head(GET => '/documents/none'))->{status}, 404, 'what needs no thread is served';
    $portal->database->do('UNLOCK TABLES');
    is_deeply counted(map { $_->answer } @waiting), {200 => THREADS + QUEUE}, 'those who wait are served';
    is $client->get('/api/orders')->code, 200, 'then there is room';
};

subtest 'the outside hangs for longer than anybody waits' => sub {
    my $short = Caportal::Test->start(edit => sub ($text) { $text =~ s{(caportal_egress_timeout +)\S+;}{${1}1s;}r });
    hold($short);
    my $visitor = raw($short);
    $visitor->send(code($visitor));
    is_refused($visitor->answer(40), 'given up, though the provider has not answered');
    $short->sandbox(delete => '/faults');
    settled($short);
};

settled($portal);

done_testing;
