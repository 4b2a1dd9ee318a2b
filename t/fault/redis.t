use v5.36;
use warnings FATAL => 'all';

# What a pool thread asks Redis for (codes, sessions, limits) while it is restarted, hangs, lets nobody in or is full:
# refused with 503 and when to come again, quickly, nothing half done; and when it is back, by itself, everything works
# that was refused: the code that was sent is still good, the password is still the old one.

use Caportal::Files qw(read_file);
use Caportal::Sample qw(new_phone);
use Caportal::Test;
use Caportal::Test::Edge qw(eventually is_refused raw settled);
use Test::More;
use Time::HiRes qw(time);

use constant { TIMEOUT => 0.4, BACK => 5, PASSWORD => 'correct horse 7 battery', OTHER => 'staple 9 of the horse' };

my $portal = Caportal::Test->start(edit => sub ($text) {
    $text =~ s/^(\s*caportal_redis_timeout\s+)\S+;/$1${\ (TIMEOUT * 1000)}ms;/m;
    $text =~ s/^(worker_processes\s+)auto;/${1}1;/m;
    $text =~ s/^(thread_pool caportal_password) .*/$1 threads=4 max_queue=64;/m;
    return $text;
});
my $redis = $portal->stack->service('redis');

sub code_for ($phone) {
    $portal->forget_limits;
    my $answer = $portal->client->post('/api/sms-codes', {phone => $phone, purpose => 'login'});
    $answer->code == 202 or die 'a code: ' . Caportal::Client->describe($answer);
    return $portal->sandbox(get => '/inbox', form => {phone => $phone})->json->[0]{params}{code};
}

sub ask ($method, $path, $json = undef, $client = undef) {
    my $connection = raw($portal, $client);
    return $connection->ask(
        $json ? $connection->json($method => $path, $json) : $connection->head($method => $path), 10);
}

sub by_sms ($phone, $code) { return ask(POST => '/api/sessions', {method => 'sms', phone => $phone, code => $code}) }

sub by_password ($phone, $password) {
    return ask(POST => '/api/sessions', {method => 'password', login => $phone, password => $password});
}

sub change ($client, $from, $to) {
    return ask(PUT => '/api/account/password', {password => $to, current_password => $from}, $client);
}

# Who has an account, a session, a password and an unused code; and a code of who has no account yet.
sub people () {
    my ($client, $journey) = $portal->sign_in;
    my $set = $client->request(PUT => '/api/account/password', json => {password => PASSWORD});
    is $set->code, 200, 'a password is set';
    my ($phone, $new) = ($journey->{phone}, new_phone());
    return {client => $client, phone => $phone, code => code_for($phone), new => $new, new_code => code_for($new)};
}

# What must not change while everything is refused.
sub state_of () {
    return [$portal->value(q{SELECT COUNT(*) FROM audit WHERE action IN ('session.create', 'account.password')}),
        $portal->value('SELECT GROUP_CONCAT(password ORDER BY id) FROM account')];
}

# Each operation that needs Redis, as one that is refused.
sub is_away ($title, $who, %can) {
    return subtest $title => sub {
        my $before = state_of();
        my $wrong  = sprintf '%06d', ($who->{code} + 1) % 1_000_000;
        my $unsent = new_phone();
        my %answer = (
            'a code' => sub { ask(POST => '/api/sms-codes', {phone => $unsent, purpose => 'login'}) },
            'the right code'             => sub { by_sms($who->{phone}, $who->{code}) },
            'the right code, no account' => sub { by_sms($who->{new}, $who->{new_code}) },
            'a wrong code'               => sub { by_sms($who->{phone}, $wrong) },
            'the right password'         => sub { by_password($who->{phone}, PASSWORD) },
            'a wrong password'           => sub { by_password($who->{phone}, OTHER) },
            'a new password'             => sub { change($who->{client}, PASSWORD, OTHER) },
            $can{sign_out} ? () : ('signing out' => sub { ask(DELETE => '/api/session', undef, $who->{client}) }),
        );
        for my $name (sort keys %answer) {
            my $answer = $answer{$name}->();
            is_refused($answer, $name);
            ok !$answer->{headers}{'set-cookie'}, "$name: no cookie";
            cmp_ok $answer->{seconds}, '<', 2 * TIMEOUT + 0.5, "$name: in time";
        }
        is_deeply state_of(), $before, 'nobody was signed in, no password changed';
        is_deeply $portal->sandbox(get => '/inbox', form => {phone => $unsent})->json, [], 'no message was sent';
    };
}

# It comes back by itself, and what was refused is done now.
sub is_back ($title, $who) {
    return subtest $title => sub {
        my $begin = time;
        ok eventually(sub { !grep { ask(GET => $_, undef, $who->{client})->{status} != 200 } '/healthz', '/api/session' },
            BACK), 'back';
        cmp_ok time - $begin, '<', BACK, sprintf 'after %.1f s', time - $begin;

        is by_sms($who->{phone}, $who->{code})->{status}, 201, 'the code is still good';
        is by_sms($who->{new}, $who->{new_code})->{status}, 201, 'the other too';
        is by_sms($who->{phone}, $who->{code})->{status}, 401, 'once';
        is by_password($who->{phone}, PASSWORD)->{status}, 201, 'the password is still the same';
        is change($who->{client}, PASSWORD, OTHER)->{status}, 200, 'it is changed now';
        is ask(DELETE => '/api/session', undef, $who->{client})->{status}, 204, 'signing out';
        is ask(GET => '/api/session', undef, $who->{client})->{status}, 401, 'is the end of the session';
    };
}

# How many lines of the log say so of the pool threads.
sub said ($words) { return scalar(() = $portal->logs =~ /caportal: redis $words/g) }

my $who = people();
$portal->kill('redis');
is_away('killed', $who);
$portal->restart('redis');
is_back('and started again', $who);

$who = people();
$portal->process('redis')->signal('STOP');
is_away('hanging', $who);

subtest 'many at once while it hangs' => sub {
    my ($begin, $lines) = (time, said('is away'));
    my @waiting = map { raw($portal) } 1 .. 40;
    $_->send($_->json(POST => '/api/sessions', {method => 'password', login => $who->{phone}, password => PASSWORD}))
        for @waiting;
    my @answers = map { $_->answer(10) } @waiting;
    is scalar(grep { $_ && $_->{status} == 503 } @answers), 40, 'each is refused';
    cmp_ok time - $begin, '<', 3 * TIMEOUT + 0.5, 'only a few threads waited for it';
    is said('is away'), $lines, 'and no line of the log tells it again';
};

$portal->process('redis')->signal('CONT');
is_back('awake again', $who);

$who = people();
my $user = $portal->stack->{database} . '_web';
my ($password) = split ' ', read_file($portal->home . '/conf/secrets/redis-web');
$portal->redis(ACL => SETUSER => $user, 'resetpass', '>another');
$portal->redis(CLIENT => KILL => USER => $user);
is_away('another password', $who);
$portal->redis(ACL => SETUSER => $user, 'resetpass', ">$password");
is_back('the right one again', $who);

# Signing out needs no memory: it is done, and must be.
$who = people();
my ($leaving) = $portal->sign_in;
$portal->redis(CONFIG => SET => maxmemory => 1);
is_away('full', $who, sign_out => 1);
is ask(DELETE => '/api/session', undef, $leaving)->{status}, 204, 'full: signing out';
is ask(GET => '/api/session', undef, $leaving)->{status}, 401, 'full: is the end of the session';
$portal->redis(CONFIG => SET => maxmemory => 0);
is_back('room again', $who);

settled($portal);

done_testing;
