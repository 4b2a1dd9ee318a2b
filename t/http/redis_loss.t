use v5.36;
use warnings FATAL => 'all';

# Redis dead, hanging, refusing, full of nonsense: within a second a clear 503 for whoever needs it, service as ever for
# whoever does not, and when it is back everything is.

use Caportal::Files qw(read_file write_file);
use Caportal::Sample qw(new_phone);
use Caportal::Test;
use Caportal::Test::Edge qw(eventually is_refused raw settled);
use Digest::SHA qw(sha256);
use Test::More;

# The configured time-out is a second; the rest is for a busy machine.
use constant IN_TIME => 2.5;

my $portal = Caportal::Test->start(edit => sub ($text) {
    $text =~ s{^worker_processes.*}{worker_processes 1;}m;
    return $text =~ s{^(\s*location /documents/ )}{
        location = /guarded { caportal_session required; return 200; }
        location = /asked   { caportal_session optional; add_header X-Account "\$caportal_account"; return 200; }
$1}mr =~ s{return 200;}{try_files /none =204;}gr;
});
my $client = $portal->sign_in;
my $redis  = $portal->stack->service('redis');
my $conf   = $portal->home . '/conf/redis.conf';

sub get ($path, $who = $client) {
    my $connection = raw($portal, $who);
    return $connection->ask($connection->head(GET => $path), 10);
}

sub code () {
    my $connection = raw($portal);
    return $connection->ask($connection->json(POST => '/api/sms-codes', {phone => new_phone(), purpose => 'login'}));
}

# Every kind of request while Redis is away.
sub is_away ($title) {
    return subtest $title => sub {
        ok eventually(sub { get('/api/session')->{status} == 503 }, IN_TIME), 'within a second';
        for my $path ('/api/session', '/api/orders', '/guarded', '/healthz') {
            my $answer = get($path);
            is_refused($answer, $path);
            cmp_ok $answer->{seconds}, '<', IN_TIME, 'in time';
        }
        is get('/api/session', undef)->{status}, 401, 'who shows no session is told to sign in';
        is get('/guarded', undef)->{status}, 401, 'at a guarded page too';
        is get('/api/catalog')->{status}, 200, 'what anybody may see is shown, to who has a session';
        is get('/api/catalog', undef)->{status}, 200, 'and to who has none';
        is get('/asked')->{status}, 204, 'where a session is optional, the page is shown';
        ok !get('/asked')->{headers}{'x-account'}, 'as to nobody';
        is_refused(code(), 'a code is not sent: nobody counts how many there were');
    };
}

# While it hung, a thread at a time looked whether it is back, and then nobody for as long.
sub is_back ($title) {
    ok eventually(sub { get('/healthz')->{status} == 200 }, 3), "$title: within moments";
    ok eventually(sub { get('/api/session')->{status} == 200 }, IN_TIME), $title;
    is get($_)->{status} =~ /\A20[04]\z/, 1, "$title: $_" for '/api/orders', '/guarded', '/healthz';
    ok get('/asked')->{headers}{'x-account'}, "$title: the account is known";

    # Each thread has a connection of its own, most of them closed meanwhile.
    my @all = map { raw($portal, $client) } 1 .. 24;
    $_->send($_->head(GET => '/healthz')) for @all;
    is_deeply [map { ($_->answer // {status => 'none'})->{status} } @all], [(200) x 24], "$title: on every thread";
    return;
}

is_back('at first');

$portal->kill('redis');
is_away('killed');
$portal->restart('redis');
is_back('started again');

$portal->process('redis')->signal('STOP');
is_away('hanging');
$portal->process('redis')->signal('CONT');
is_back('awake again');

subtest 'many wait while it hangs' => sub {
    my $unknown = '__Host-caportal=' . 'x' x length $client->cookie;
    $portal->process('redis')->signal('STOP');
    my @waiting = map { raw($portal) } 1 .. 40;
    $_->send($_->head(GET => '/api/session', Cookie => $unknown)) for @waiting;
    my @answers = map { $_->answer(10) } @waiting;
    is scalar(grep { $_ && $_->{status} == 503 } @answers), 40, 'each is refused';
    cmp_ok $_, '<', 3 * IN_TIME, 'and all in time' for map { $_->{seconds} } $answers[-1];
    $portal->process('redis')->signal('CONT');
    is_back('then served');
};

subtest 'answers longer than one read' => sub {
    my ($secret, $account) = unpack 'A43 A*', $client->cookie;
    my ($key, $field) = ("caportal:sessions:$account", sha256($secret));
    ok $portal->redis(HEXISTS => $key, $field) eq ':1', 'where the session is';
    $portal->redis(RENAME => $key, 'caportal:kept');

    for my $size (300_000, 3_000_000) {
        $portal->redis(HSET => $key, $field, 'x' x $size);
        my @answers = map { get('/api/session') } 1 .. 5;
        is_deeply [map { $_->{status} } @answers], [(401) x 5], "$size bytes of nonsense are no session";
        is scalar(grep { $_->{seconds} < 0.8 } @answers), 5, 'and hold nobody up';
    }
    $portal->redis(DEL => $key);
    $portal->redis(SET => $key, 'b');
    is_refused(get('/api/session'), 'another kind of value');
    $portal->redis(DEL => $key);
    is get('/api/session')->{status}, 401, 'no value';
    $portal->redis(RENAME => 'caportal:kept', $key);
    is_back('the session is there again');
};

my $rules = read_file($conf);

$portal->process('redis')->stop;
write_file($conf, $rules =~ s/(\w+_web\s+on )>\w+/$1>another/r, 0600);
$portal->restart('redis');
is_away('another password');

$portal->process('redis')->stop;
write_file($conf, $rules, 0600);
$portal->restart('redis');
is_back('the right one again');

# The same without a restart: what was refused once does not stay on a refused connection.
my ($user, $password) = $rules =~ /user (\w+_web)\s+on >(\w+)/;
$portal->redis(ACL => SETUSER => $user, 'resetpass', '>another');
$portal->redis(CLIENT => KILL => USER => $user);
is_away('the password changed while it runs');
$portal->redis(ACL => SETUSER => $user, 'resetpass', ">$password");
is_back('and changed back');

$portal->redis(CONFIG => SET => maxmemory => 1);
is get('/api/session')->{status}, 200, 'full: who is signed in is served';
is_refused(code(), 'full: nobody new');
$portal->redis(CONFIG => SET => maxmemory => 0);
is code()->{status}, 202, 'room again';

$portal->redis('FLUSHALL');
is get('/api/session')->{status}, 401, 'emptied: sign in again';
ok $client = $portal->sign_in, 'which works';
is_back('signed in');

settled($portal);

done_testing;
