use v5.36;
use utf8;
use warnings FATAL => 'all';

# Wrong passwords: when a captcha is demanded and when there are delays, of whom and of whom not; one who guesses, one
# with a stolen list, one who sprays a password over many logins, one who wants to lock somebody else out.

use Caportal::Sample qw(new_phone);
use Caportal::Test;
use Caportal::Test::Captcha qw(captcha);
use Caportal::Test::Curl qw(curl);
use Caportal::Test::Walk qw(is_problem at_once);
use Test::More;
use Time::HiRes qw(time);

use constant PASSWORD => 'Tie-mu-zhen 1206';

my $portal = Caportal::Test->start(edit => sub ($text) {
    return $text =~ s/(caportal_password threads)=2 max_queue=8/$1=4 max_queue=64/r;
});
my $visitor = $portal->client;
my ($client, $journey) = $portal->sign_in;
my $holder = $journey->{phone};
my $next   = 0;

is $client->request(PUT => '/api/account/password', json => {password => PASSWORD})->code, 200, 'a password';

# An address that nobody failed from yet.
sub new_address () { return sprintf '127.1.%d.%d', int $next / 200, 1 + $next++ % 200 }

# An attempt from an address: the answer as Caportal::Test::Curl has it.
sub try_from ($address, $login, $password, %more) {
    return curl($portal->addresses->{portal} . '/api/sessions', ca => $portal->addresses->{server_ca},
        folder => $portal->home, json => {method => 'password', login => $login, password => $password, %more},
        headers => ["Origin: $portal->{addresses}{portal}"], words => ['--interface', $address]);
}

sub wrong () { return 'wrong-' . int rand 1e12 }

sub result ($answer) { return $answer->{status} . ' ' . ($answer->{json}{code} // '') }

# Without what differs between any two.
sub bytes_of ($answer) { return $answer->{status} . $answer->{body} =~ s/"request_id":"\w+"//r }

sub waits ($answer) { return $answer->{headers}{'retry-after'}[0] // 0 }

# The present delays last a minute more, so that they are met whatever else this machine does, if they are there still.
sub stretch_delay () {
    $portal->redis('EVAL', "for _, key in ipairs(redis.call('KEYS', 'caportal:password-wait:*')) do "
        . "redis.call('PEXPIRE', key, redis.call('PTTL', key) + 60000) end", 0);
    return;
}

# They are over.
sub pass_delay () { return $portal->forget_keys('password-wait:*') }

subtest 'a captcha after three' => sub {
    my ($known, $unknown) = ($holder, new_phone());
    my ($one, $two) = map { new_address() } 1 .. 2;
    for my $n (1 .. 4) {
        my ($a, $b) = (try_from($one, $known, wrong()), try_from($two, $unknown, wrong()));
        is result($a), $n < 4 ? '401 bad_credentials' : '403 captcha_required', "$n: " . result($a);
        is bytes_of($a), bytes_of($b), '... the same for who is unknown';
    }
    is result(try_from($one, $known, PASSWORD)), '403 captcha_required', 'the right one is not looked at either';
    is result(try_from($one, $known, PASSWORD, captcha_id => 'x' x 20, captcha_answer => '5')), '422 bad_captcha',
        'nor with a captcha that is none';
    is result(try_from($one, $known, wrong(), captcha($visitor))), '401 bad_credentials', 'with one it is';

    my $elsewhere = new_address();
    is result(try_from($elsewhere, $known, PASSWORD)), '403 captcha_required', 'elsewhere it is demanded too';
    is try_from($elsewhere, $known, PASSWORD, captcha($visitor))->{status}, 201, 'and is all that is demanded';
    is try_from(new_address(), $known, PASSWORD)->{status}, 201, 'after that not even one';
    is result(try_from($one, new_phone(), wrong())), '403 captcha_required', 'but at the address that failed it is';
};

subtest 'delays' => sub {
    $portal->forget_limits;
    my ($here, $unknown) = (new_address(), new_phone());
    my $other = new_address();
    my $took;
    my $try = sub ($address, $login) {
        my %answer = captcha($visitor);
        my $begin  = time;
        my $answer = try_from($address, $login, wrong(), %answer);
        stretch_delay();
        $took = time - $begin;
        return $answer;
    };

    my $slowest;
    my $both = sub ($title) {
        is result($try->($here, $holder)), '401 bad_credentials', $title;
        $slowest = $took;
        $try->($other, $unknown);
        $slowest = $took if $took > $slowest;
    };
    $both->("failure $_") for 1 .. 5;
    for my $wait (1, 2, 4, 8, 16) {
      SKIP: {
        skip 'this machine took longer than the delay', 3 if $slowest >= $wait;
        my $refused = try_from($here, $holder, PASSWORD, captcha($visitor));
        my $left    = waits($refused) % 60;
        is result($refused), '429 rate_limited', 'then the right one is refused too';
        ok $left <= $wait && $left > $wait - 1.5 - $wait / 4, "... for $wait s" or diag "$left s are left";
        my ($one, $two) = map { bytes_of($_) =~ s/"retry_after_s":\d+//r } $refused,
            try_from($other, $unknown, PASSWORD);
        is $one, $two, '... as is who is unknown';
      }
        pass_delay();
        $both->('after them it is looked at');
    }
    my $refused = try_from($here, $holder, PASSWORD);
    is result($refused), '429 rate_limited', 'after ten';
    cmp_ok waits($refused), '>', 890, 'a quarter of an hour';
    is try_from(new_address(), $holder, PASSWORD, captcha($visitor))->{status}, 201,
        'the holder, elsewhere, signs in all the while';
    is result(try_from($here, $holder, PASSWORD)), '429 rate_limited', 'which does not help who guessed';
};

subtest 'a stolen list' => sub {
    $portal->forget_limits;
    my $address = new_address();
    is_deeply [map { result(try_from($address, new_phone(), wrong())) } 1 .. 4],
        [('401 bad_credentials') x 3, '403 captcha_required'], 'three logins from an address';
    is result(try_from($address, $holder, PASSWORD)), '403 captcha_required', "then it needs a captcha for any";
    is try_from(new_address(), $holder, PASSWORD)->{status}, 201, 'another address does not';

    is try_from($address, $holder, PASSWORD, captcha($visitor))->{status}, 201, "one's own account";
    is result(try_from($address, new_phone(), wrong())), '403 captcha_required', 'washes nothing away';
};

subtest 'one password at many logins' => sub {
    $portal->forget_limits;
    my $common = wrong();
    is_deeply [map { result(try_from(new_address(), new_phone(), $common)) } 1 .. 11],
        [('401 bad_credentials') x 10, '403 captcha_required'], 'ten, each from elsewhere';
    is result(try_from(new_address(), new_phone(), wrong())), '401 bad_credentials', 'another password';
};

subtest 'many at once' => sub {
    $portal->forget_limits;
    my @answers = at_once(map { [$visitor, POST => '/api/sessions', json => {method => 'password', login => $holder,
        password => wrong()}] } 1 .. 40);
    my %seen;
    $seen{ $_->code }++ for @answers;
    cmp_ok $seen{401}, '<=', 3, 'forty: three at most are looked at' or diag explain \%seen;
    is $seen{401} + $seen{403} + ($seen{503} // 0), 40, 'the others need a captcha, or found no slot and count nothing';
};

subtest "a company's people at nine o'clock" => sub {
    $portal->forget_limits;
    my @people = map { my ($self, $journey) = $portal->sign_in;
        $self->request(PUT => '/api/account/password', json => {password => PASSWORD});
        $journey->{phone} } 1 .. 6;
    $portal->forget_limits;
    my @answers = at_once(map { [$visitor, POST => '/api/sessions',
        json => {method => 'password', login => $_, password => PASSWORD}] } @people);
    is_deeply [grep { $_ != 201 && $_ != 503 } map { $_->code } @answers], [],
        'all have one address, and none needs a captcha: at most another moment, when no slot is free';
    is $portal->redis_value('EVAL', "local n = 0 for _, key in ipairs(redis.call('KEYS', 'caportal:password-a*')) do "
            . "n = n + redis.call('HLEN', key) end return n", 0), 0, 'nothing is left that counts';
    is try_from('127.0.0.1', new_phone(), wrong())->{status}, 401, 'of which nothing is held against the next';
};

subtest 'attempts that nobody ended' => sub {
    $portal->forget_limits;
    my $address = new_address();
    is result(try_from($address, $holder, wrong())), '401 bad_credentials', 'one that is wrong';
    my ($key) = split ' ',
        $portal->redis_value('EVAL', "return table.concat(redis.call('KEYS', 'caportal:password-account:*'), ' ')", 0);
    my $since = sub ($seconds) {
        $portal->redis('HSET', $key, map { ("attempt$_", int 1000 * (time - $seconds)) } 1 .. 5);
        return;
    };
    $since->(0);
    is result(try_from($address, $holder, PASSWORD)), '403 captcha_required', 'five that began now count';
    $since->(16);
    is try_from($address, $holder, PASSWORD)->{status}, 201, 'not when they began long ago';
    is $portal->redis_value('EXISTS', $key), 0, 'and nothing is left of them';
};

subtest 'what is written' => sub {
    $portal->forget_limits;
    my $secret = wrong();
    my $address = new_address();
    try_from($address, $holder, $secret);
    my $keys = $portal->redis_value('EVAL', "return table.concat(redis.call('KEYS', 'caportal:password-*'), ' ')", 0);
    is join(' ', sort $keys =~ /password-(\w+):/g), 'account address pair ratio word', 'counts';
    unlike "$keys " . $portal->logs, qr/\Q$secret\E|(?<!\d)$holder(?!\d)/, 'no password, no number';
    unlike $keys, qr/\Q$address\E/, 'no address';
};

subtest 'few are right' => sub {
    $portal->forget_limits;
    my $before = $visitor->get('/status')->json->{events};
    $portal->redis('HSET', 'caportal:password-ratio:all', 'wrong', 45, 'right', 3);
    try_from(new_address(), $holder, PASSWORD);
    is scalar(() = $portal->logs =~ /passwords \d+ were right/g), 0, '49 say nothing';
    try_from(new_address(), new_phone(), wrong()) for 1 .. 3;
    is scalar(() = $portal->logs =~ /\[error\].*of the last 50 passwords 4 were right/g), 1, '50 do, once';
    my $now = $visitor->get('/status')->json->{events};
    is $now->{password_alarms} - $before->{password_alarms}, 1, 'the alarm is counted';
    is $now->{password_wrong} - $before->{password_wrong}, 3, 'so is each wrong one';
    is $now->{password_right} - $before->{password_right}, 1, 'and each right one';
};

subtest 'without Redis' => sub {
    $portal->kill('redis');
    is result(try_from(new_address(), $holder, PASSWORD)), '503 session_store_unavailable', 'none is looked at';
    $portal->restart('redis');
};

done_testing;
