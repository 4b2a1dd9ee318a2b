use v5.36;
use utf8;
use warnings FATAL => 'all';

# Signing in: codes that are used once, guessed at, late or somebody else's; passwords; certificates in every condition;
# sessions and their end. What is stored for it says nothing to who reads it.

use Caportal::Files qw(read_file);
use Caportal::Sample qw(new_phone);
use Caportal::Test;
use Caportal::Test::Edge qw(eventually);
use Caportal::Test::Race qw(during);
use Caportal::Test::Walk qw(is_problem code_of certificate_by at_once);
use Digest::SHA qw(sha256);
use Test::More;

my $portal = Caportal::Test->start(edit => sub ($text) {
    return $text =~ s/(caportal_password threads)=2 max_queue=8/$1=4 max_queue=64/r;
});
my $visitor = $portal->client;
my @phones;

sub send_code ($phone, $purpose = 'login') {
    return $visitor->post('/api/sms-codes', {phone => $phone, purpose => $purpose});
}

# A number to which a code is on its way, and the code.
sub with_code ($purpose = 'login') {
    my $phone  = new_phone();
    my $answer = send_code($phone, $purpose);
    is $answer->code, 202, 'a code is sent' or diag $answer->body;
    push @phones, $phone, code_for($phone);
    return ($phone, $phones[-1]);
}

sub code_for ($phone) {
    return $portal->sandbox(get => '/inbox', form => {phone => $phone})->json->[0]{params}{code};
}

sub by_sms ($phone, $code, $client = $portal->client) {
    return $client->post('/api/sessions', {method => 'sms', phone => $phone, code => $code});
}

sub by_password ($login, $password, $client = $portal->client) {
    return $client->post('/api/sessions', {method => 'password', login => $login, password => $password});
}

# Another code than this one.
sub other_than ($code, $step = 1) { return sprintf '%06d', ($code + $step) % 1_000_000 }

# What Redis makes of every key of a kind: the sum of what it answers.
sub keys_of ($kind, $command, @more) {
    my $call = join ', ', "'$command'", 'key', map {"'$_'"} @more;
    my ($sum) = $portal->redis('EVAL', "local sum = 0 for _, key in ipairs(redis.call('KEYS', 'caportal:$kind:*')) do "
            . "sum = sum + redis.call($call) end return sum", 0) =~ /\A:(-?\d+)/;
    return $sum;
}

# An answer without what differs between any two.
sub bytes_of ($response) { return $response->code . $response->body =~ s/"request_id":"\w+"//r }

subtest 'a code' => sub {
    my ($phone, $code) = with_code();
    my $life = keys_of('sms', 'TTL');
    ok $life > 290 && $life <= 300, "lives for five minutes, $life s are left";

    is_problem(by_sms($phone, other_than($code, $_)), 401, 'bad_code', "wrong, $_") for 1 .. 4;
    is by_sms($phone, $code)->code, 201, 'right at the fifth';
    is_problem(by_sms($phone, $code), 401, 'bad_code', 'a second time');
    is bytes_of(by_sms($phone, $code)), bytes_of(by_sms(new_phone(), $code)), 'the same as for who never asked for one';

    ($phone, $code) = with_code();
    is_problem(by_sms($phone, other_than($code, $_)), 401, 'bad_code', "wrong, $_") for 1 .. 5;
    is_problem(by_sms($phone, $code), 401, 'bad_code', 'right, but too late');

    ($phone, $code) = with_code();
    cmp_ok keys_of('sms', 'PEXPIRE', 1), '>', 0, 'time passes';
    select undef, undef, undef, 0.02;
    is_problem(by_sms($phone, $code), 401, 'bad_code', 'expired');
};

subtest 'is for one number and one purpose' => sub {
    my ($one, $code_of_one) = with_code();
    my ($two, $code_of_two) = with_code();
    is_problem(by_sms($two, $code_of_one), 401, 'bad_code', "another's code");
    is by_sms($two, $code_of_two)->code, 201, "one's own";
    is by_sms($one, $code_of_one)->code, 201, 'and the other its own';

    $portal->forget_limits;
    is send_code($one, 'reset_password')->code, 202, 'a code for a new password';
    ok $portal->wait_for_messages($one, 2), 'arrives';
    is_problem(by_sms($one, code_for($one)), 401, 'bad_code', 'and signs nobody in');
    is_problem($visitor->post('/api/sms-codes', {phone => $one, purpose => 'change_phone'}), 401, 'unauthenticated',
        'a new number is for who has signed in');
};

subtest 'once a minute' => sub {
    my ($phone, $first) = with_code();
    my $again = send_code($phone);
    is_problem($again, 429, 'rate_limited', 'again');
    my $wait = $again->headers->header('Retry-After');
    ok $wait >= 55 && $wait <= 60, "to be tried after $wait s";

    keys_of('sms-minute', 'PEXPIRE', 1);
    select undef, undef, undef, 0.02;
    is send_code($phone)->code, 202, 'a minute later';
    my $second = code_for($phone);
    push @phones, $second;
    is_problem(by_sms($phone, $first), 401, 'bad_code', 'the first code is worth nothing now') if $first ne $second;
    is by_sms($phone, $second)->code, 201, 'the second is';

    my %body    = (phone => '13800138000', purpose => 'login');
    my @answers = at_once(map { [$visitor, POST => '/api/sms-codes', json => \%body] } 1 .. 10);
    is scalar(grep { $_->code == 202 } @answers), 1, 'ten at once: one is sent';
};

subtest 'fifty submissions of one code at once' => sub {
    my ($phone, $code) = with_code();
    my @answers = at_once(map { [$visitor, POST => '/api/sessions', json => {method => 'sms', phone => $phone,
        code => $code}] } 1 .. 50);
    my %seen;
    $seen{ $_->code }++ for @answers;
    is $seen{201}, 1, 'one signs in';
    is $seen{401}, 49, 'the others do not' or diag explain \%seen;

    ($phone, $code) = with_code();
    @answers = at_once(map { [$visitor, POST => '/api/sessions', json => {method => 'sms', phone => $phone,
        code => $_ == 49 ? $code : other_than($code, $_)}] } 1 .. 50);
    cmp_ok scalar(grep { $_->code == 201 } @answers), '<=', 1, 'fifty guesses, one of them right';
    is_problem(by_sms($phone, $code), 401, 'bad_code', 'the code is dead either way');
};

subtest 'sessions' => sub {
    my ($client, $journey) = $portal->sign_in;
    my $token  = $client->cookie;
    my $elsewhere = $portal->client;

    like $token, qr/\A[\w-]{43}[\w-]{20}\z/, '256 bits, and the account';
    is $client->get('/api/session')->json->{session}{method}, 'sms', 'who am I';
    unlike $client->get('/api/session')->body, qr/$journey->{phone}/, 'the number is masked';

    keys_of('sms-minute', 'DEL');
    send_code($journey->{phone});
    my $again = by_sms($journey->{phone}, code_for($journey->{phone}), $client);
    like $again->headers->set_cookie,
        qr/\A__Host-caportal=[\w-]{63}; (?=.*HttpOnly)(?=.*Secure)(?=.*SameSite=Lax)(?=.*Path=\/)/,
        'the cookie is for this server alone';
    unlike $again->headers->set_cookie, qr/Domain/i, 'without a domain';
    isnt $client->cookie, $token, 'each sign-in has another';
    is $portal->client->request(GET => '/api/session', headers => {Cookie => "__Host-caportal=$token"})->code, 401,
        'the one before it ends';

    my $fixed = 'A' x 43;
    keys_of('sms-minute', 'DEL');
    send_code($journey->{phone});
    my $answer = $elsewhere->request(POST => '/api/sessions', headers => {Cookie => "__Host-caportal=$fixed"},
        json => {method => 'sms', phone => $journey->{phone}, code => code_for($journey->{phone})});
    unlike $answer->headers->set_cookie, qr/$fixed/, 'nobody brings a session of his own making';

    is $client->delete('/api/session')->code, 204, 'sign out';
    is $client->get('/api/session')->code, 401, 'is the end of it';
    is $elsewhere->get('/api/session')->code, 200, 'but not of another';

    push @phones, map { $_->cookie // () } $elsewhere;
    is $elsewhere->delete('/api/sessions')->code, 204, 'everywhere';
    is $elsewhere->get('/api/session')->code, 401, 'is the end of all';
};

subtest 'passwords' => sub {
    my ($client, $journey) = $portal->sign_in;
    my $phone    = $journey->{phone};
    my $password = 'Tie-mu-zhen 1206';
    my $set      = sub ($client, %body) { $client->request(PUT => '/api/account/password', json => \%body) };
    push @phones, $password;

    is bytes_of(by_password($phone, $password)), bytes_of(by_password(new_phone(), $password)),
        'who has none and who is unknown are told the same';

    is_problem($set->($client, password => 'short'), 422, 'invalid_fields', 'too short', {password => 'too_short'});
    is_problem($set->($client, password => $_), 422, 'invalid_fields', "common: $_", {password => 'common'})
        for qw(password1 PASSWORD1 12345678 aaaaaaaa), $phone;
    is $set->($client, password => $password)->json->{strength}, 'strong', 'set, and told how strong it is';

    my $second = $portal->client;
    is by_password($phone, $password, $second)->code, 201, 'sign in with it';
    is_problem(by_password($phone, lc $password), 401, 'bad_credentials', 'in small letters it is another');
    is_problem(by_password($phone, "$password "), 401, 'bad_credentials', 'with a space it is another');
    is bytes_of(by_password($phone, 'wrong-wrong')), bytes_of(by_password(new_phone(), 'wrong-wrong')),
        'a wrong password and an unknown number are told the same';

    $portal->forget_limits;
    is_problem($set->($client, password => 'i!eqh524'), 422, 'invalid_fields', 'a change without the present one',
        {current_password => 'required'});
    is_problem($set->($client, password => 'i!eqh524', current_password => 'wrong-wrong'), 422, 'invalid_fields',
        'with a wrong one', {current_password => 'mismatch'});
    is by_password($phone, $password)->code, 201, 'it is as it was';

    is $set->($client, password => 'i!eqh524', current_password => $password)->json->{strength}, 'fair', 'changed';
    is $client->get('/api/session')->code, 200, 'this session goes on';
    is $second->get('/api/session')->code, 401, 'every other has ended';
    is_problem(by_password($phone, $password), 401, 'bad_credentials', 'the old one is worth nothing');

    my $hash = $portal->value("SELECT password FROM account WHERE password IS NOT NULL LIMIT 1");
    like $hash, qr/\A\$argon2id\$v=19\$m=19456,t=2,p=1\$/, 'Argon2id, 19 MiB, two passes';
};

subtest 'certificates' => sub {
    my $journey = $portal->order_until('issued', project => 'medical-insurance', delivery => 'pickup');
    $journey->step('download');
    my @holder = (cert => $journey->{certificate}, key => "$journey->{folder}/holder.key");
    my $try = sub (%certificate) {
        $portal->client('certificate', %certificate)->post('/api/sessions', {method => 'certificate'});
    };

    my $client = $portal->client('certificate', @holder);
    is $client->post('/api/sessions', {method => 'certificate'})->code, 201, 'a good one';
    is $client->get('/api/session')->json->{session}{method}, 'certificate', 'is a session';
    is $client->get('/api/orders/' . $journey->no)->code, 200, 'of its holder';

    my $staff = $portal->staff('reviewer')->post('/api/sessions', {method => 'certificate'});
    is $staff->code, 201, "a member of staff's";
    is $staff->headers->set_cookie, undef, 'is no session: the desk looks at the certificate each time';

    is_problem($try->(), 401, 'certificate_missing', 'none');
    is_problem($portal->client->post('/api/sessions', {method => 'certificate'}), 401, 'certificate_missing',
        'at the public server');
    is_problem($try->(certificate_by($portal, 'issuing')), 401, 'certificate_unbound', 'ours, but of no account');
    is_problem($try->(certificate_by($portal, 'staff-ca')), 401, 'certificate_unbound', 'of nobody on the staff');
    is_problem($try->(certificate_by($portal, 'server-ca')), 401, 'certificate_untrusted', "another authority's");
    is_problem($try->(certificate_by($portal, undef)), 401, 'certificate_self_signed', 'signed by itself');
    is_problem($try->(certificate_by($portal, 'issuing', from => -7200, until => -3600)), 401, 'certificate_expired',
        'expired');
    is_problem($try->(certificate_by($portal, 'issuing', from => 3600, until => 7200)), 401,
        'certificate_not_yet_valid', 'not valid yet');
    is_problem($try->(certificate_by($portal, 'issuing', usage => 'server')), 401, 'certificate_purpose',
        'for a server');

    my $revoke = $portal->staff('administrator')->post("/staff/api/certificates/$journey->{serial}/revoke",
        {reason => 'key_compromise'});
    is $revoke->code, 200, 'revoked';
    is_problem($try->(@holder), 401, 'certificate_revoked', 'and refused from the next moment');
    cmp_ok $portal->value('SELECT COUNT(*) FROM audit WHERE action = "session.refuse"'
            . ' AND JSON_VALUE(detail, "$.method") = "certificate"'), '>', 5, 'refusals are recorded';
};

# Whoever ends all sessions of an account finds none that is being begun: so that one waits for them.
subtest 'while the sessions are ended' => sub {
    my ($client, $journey) = $portal->sign_in;
    my $phone = $journey->{phone};
    my $id    = $client->get('/api/session')->json->{account}{id};
    for (['ended', 'sessions_from = 1'], ['disabled', "state = 'disabled'"]) {
        my ($what, $change) = @$_;
        $portal->forget_limits;
        is send_code($phone)->code, 202, 'a code is sent';
        my $code = code_for($phone);
        my ($waits, $said) = during($portal, ["UPDATE account SET $change WHERE public_id = ?", $id],
            sub { by_sms($phone, $code)->body });
        ok $waits, "signing in waits while they are $what";
        like $said, qr/"unauthenticated"/, 'and is refused';
        is $portal->value("SELECT COUNT(*) FROM audit WHERE action = 'session.create' AND object_id = ?", $id), 1,
            'no session is recorded';
        is $portal->redis_value('HLEN', "caportal:sessions:$id"), 1, 'and none is left';
    }
};

# Everything that Redis was ever told stands in its append-only file.
subtest 'what Redis knows' => sub {
    $portal->sign_in;
    my ($client, $journey) = $portal->sign_in;
    push @phones, $journey->{phone}, $journey->{person}{id_number}, substr $client->cookie, 0, 43;
    my $hash = sha256($phones[-1]);
    my $memory;
    ok eventually(sub {
        $memory = join '', map { read_file($_) } glob $portal->home . '/data/redis/*/*.aof';
        return index($memory, $hash) > 0;
    }), "a session's hash";
    cmp_ok length $memory, '>', 10_000, 'and a lot more';
    my @shown = grep { length > 6 ? index($memory, $_) >= 0 : $memory =~ /(?<![0-9a-f])$_(?![0-9a-f])/ } @phones;
    is_deeply \@shown, [], 'but no number, no code, no token, no password';
};

done_testing;
