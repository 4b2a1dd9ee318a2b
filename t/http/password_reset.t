use v5.36;
use utf8;
use warnings FATAL => 'all';

# A forgotten password: whoever has the number sets a new one, and from outside nobody learns whose login is whose.

use Caportal::Sample qw(new_company new_phone);
use Caportal::Test;
use Caportal::Test::Captcha qw(captcha);
use Caportal::Test::Walk qw(at_once code_of is_problem is_unchanged state_of);
use Mojo::JSON;
use Test::More;
use Time::HiRes qw(time);

my $portal = Caportal::Test->start(edit => sub ($text) {
    return $text =~ s/(caportal_password threads)=2 max_queue=8/$1=4 max_queue=64/r;
});
my $old     = '青山不改-绿水长流-77';
my $new     = '后会有期-江湖再见-88';
my $visitor = $portal->client;
my $number  = 0;

# An account with a password and a user name.
sub holder () {
    my ($client, $journey) = $portal->sign_in;
    my $name = 'holder' . ++$number . 'x' . $$;
    $portal->set_password($client, $old);
    $portal->prove($client);
    my $answer = $client->request(PUT => '/api/account/user-name', json => {user_name => $name});
    die $answer->body if $answer->code != 204;
    return ($client, $journey, $name);
}

sub begin ($login, $client = $visitor) {
    return $client->post('/api/password-resets', {login => $login, captcha($client)});
}

sub send_code ($reset) { return $visitor->post('/api/sms-codes', {purpose => 'reset_password', reset => $reset}) }

sub finish ($reset, $code, $password = $new) {
    return $visitor->request(PUT => "/api/password-resets/$reset", json => {code => $code, password => $password});
}

# A reset whose code has arrived: its id and the code.
sub with_code ($login, $phone) {
    $portal->forget_limits;
    my $before = $portal->inbox($phone);
    my $reset  = begin($login)->json->{id};
    is send_code($reset)->code, 202, 'a code is asked for';
    ok $portal->wait_for_messages($phone, $before + 1), 'and arrives';
    my ($newest) = grep {defined} map { $_->{params}{code} } $portal->inbox($phone);
    return ($reset, $newest);
}

sub by_password ($login, $password) {
    return $portal->client->post('/api/sessions', {method => 'password', login => $login, password => $password});
}

sub other_than ($code, $step = 1) { return sprintf '%06d', ($code + $step) % 1_000_000 }

# An answer without what is random in it.
sub bytes_of ($response) {
    my $body = $response->body =~ s/"request_id":"\w+"//r;
    $body =~ s/"(id|reset)":"[\w-]{22}"/"$1":"…"/;
    return $response->code . $body =~ s/"phone":"\d{3}\*{4}\d{4}"/"phone":"…"/r;
}

subtest 'from the login to a new password' => sub {
    my ($client, $journey, $name) = holder();
    my $begun = begin(uc $name);
    is $begun->code, 201, 'begun' or diag $begun->body;
    is $begun->json->{phone}, $journey->{phone} =~ s/(?<=^...)..../****/r, 'the number is masked';
    is $begun->json->{expires_in}, 600, 'for ten minutes';

    my ($reset, $code) = with_code($name, $journey->{phone});
    is_problem(finish($reset, $code, $_->[0]), 422, 'invalid_fields', "$_->[1]", {password => $_->[2]})
        for ['short', 'a password too short', 'too_short'], ['password123', 'one that all have', 'common'],
        ['x' x 129, 'one too long', 'too_long'], [$journey->{phone}, 'the own number', 'common'],
        [new_phone(), 'any number', 'common'];
    is_problem(finish($reset, other_than($code)), 401, 'bad_code', 'another code');
    is by_password($name, $old)->code, 201, 'the old password is good until now';

    my $messages = $portal->inbox($journey->{phone});
    is finish($reset, $code)->code, 204, 'the code sets the password: what was refused did not use it up';
    is_problem(by_password($name, $old), 401, 'bad_credentials', 'the old one is no good');
    is by_password($name, $new)->code, 201, 'the new one is';
    is_problem($client->get('/api/session'), 401, 'unauthenticated', 'the session before it is over');
    is_problem(finish($reset, $code, 'yet another one'), 404, 'not_found', 'the reset is done');

    ok $portal->wait_for_messages($journey->{phone}, $messages + 1), 'a notice arrives';
    is +($portal->inbox($journey->{phone}))[0]{params}{event}, '登录密码已重置', 'which says so';
    is $portal->value("SELECT COUNT(*) FROM audit WHERE action = 'account.reset' AND actor_kind = 'public'"), 1,
        'recorded';
    unlike $portal->value("SELECT GROUP_CONCAT(detail) FROM audit WHERE action LIKE 'account.reset%'") // '',
        qr/$journey->{phone}|$code/, 'without number and code';
};

subtest 'a session that Redis brings back' => sub {
    my ($client, $journey, $name) = holder();
    my $account = $client->get('/api/session')->json->{account}{id};
    my $key     = "caportal:sessions:$account";
    my ($reset, $code) = with_code($name, $journey->{phone});

    $portal->redis('COPY', $key, 'caportal:kept');
    is finish($reset, $code)->code, 204, 'a new password';
    $portal->redis('COPY', 'caportal:kept', $key);
    is_problem($client->get('/api/session'), 401, 'unauthenticated', 'is refused by the account itself');
    is_problem($client->request(PUT => '/api/account/password', json => {password => $old, current_password => $new}),
        401, 'unauthenticated', 'at every operation');
};

subtest 'ASVS 6.3.8: nobody learns whose login it is' => sub {
    my ($client, $journey, $name) = holder();
    my ($closed) = holder();
    my $restricted_name;
    {
        my ($restricted, $j, $n) = holder();
        $portal->change("UPDATE account SET sign_in_ways = 4 WHERE public_id = ?",
            $restricted->get('/api/session')->json->{account}{id});
        $restricted_name = $n;
    }
    my %login = (
        'a user name'          => [$name, "nobody$$", $restricted_name],
        'a number'             => [$journey->{phone}, new_phone(), new_phone()],
        'an address'           => ['nobody@example.com', 'no.one@example.com', 'x@y.example'],
        'a company'            => [map { new_company()->{name} } 1 .. 3],
    );
    for my $kind (sort keys %login) {
        my @begun = map { begin($_) } @{ $login{$kind} };
        is scalar(keys %{ { map { bytes_of($_) => 1 } @begun } }), 1, "$kind: begun alike, somebody's or not"
            or diag join "\n", map { bytes_of($_) } @begun;
        is_deeply [map { $_->json->{phone} } map { begin($_) } @{ $login{$kind} }], [map { $_->json->{phone} } @begun],
            '... each with the same number again';

        $portal->forget_limits;
        my @sent = map { send_code($_->json->{id}) } @begun;
        is scalar(keys %{ { map { bytes_of($_) => 1 } @sent } }), 1, '... a code is on its way, somebody\'s or not';
        @sent = map { send_code($_->json->{id}) } @begun;
        is scalar(keys %{ { map { bytes_of($_) => 1 } @sent } }), 1, '... and not at once again';
        my @wrong = map { finish($_->json->{id}, '000000') } @begun;
        is scalar(keys %{ { map { bytes_of($_) => 1 } @wrong } }), 1, '... a wrong code';
        my @number = map { finish($_->json->{id}, '000000', $journey->{phone}) } @begun;
        is scalar(keys %{ { map { bytes_of($_) => 1 } @number } }), 1, '... the number of one of them as a password';
    }

    my @by_phone = map { $visitor->post('/api/sms-codes', {purpose => 'reset_password', phone => $_}) }
        ($portal->sign_in)[1]{phone}, new_phone();
    is bytes_of($by_phone[0]), bytes_of($by_phone[1]), 'by the number in one step';
    like $by_phone[0]->json->{reset}, qr/\A[\w-]{22}\z/, 'which begins the reset';

    my @others = map { begin($_)->json->{phone} } map {"stranger$_"} 1 .. 20;
    cmp_ok scalar(keys %{ { map { $_ => 1 } @others } }), '>', 15, 'made-up numbers differ';
    is scalar(grep { !/\A1[3-9]\d\*{4}\d{4}\z/ } @others), 0, 'and look like numbers';
};

subtest 'the times do not tell either' => sub {
    my ($client, $journey, $name) = holder();
    my @id = map { begin($_)->json->{id} } $name, "nobody$$";
    my $pairs = 500;
    finish($_, '000000') for (@id) x 10;

    # Which of two that follow each other was slower: the machine's other work meets either as often.
    my $slower = 0;
    for my $round (1 .. $pairs) {
        my @took;
        for my $i ($round % 2 ? (0, 1) : (1, 0)) {
            my $start = time;
            finish($id[$i], '000000');
            $took[$i] = time - $start;
        }
        $slower++ if $took[0] > $took[1];
    }
    my $sigmas = abs(2 * $slower - $pairs) / sqrt $pairs;
    cmp_ok $sigmas, '<', 4, "of $pairs pairs the known login was slower in $slower";
};

subtest 'ASVS 6.5.1, 6.5.5, 6.6.3: a code is used once, guessed at five times' => sub {
    my ($client, $journey, $name) = holder();
    my $account = $client->get('/api/session')->json->{account}{id};
    my ($reset, $code) = with_code($name, $journey->{phone});
    is_problem(finish($reset, other_than($code, $_)), 401, 'bad_code', "guess $_") for 1 .. 5;
    is_problem(finish($reset, $code), 401, 'bad_code', 'the right one is dead');

    ($reset, $code) = with_code($name, $journey->{phone});
    my @answers = at_once(map { [$visitor, PUT => "/api/password-resets/$reset",
        json => {code => $code, password => "$new-$_"}] } 1 .. 12);
    is scalar(grep { $_->code == 204 } @answers), 1, 'twelve at once: one sets the password';
    is scalar(grep { $_->code !~ /\A(?:204|401|404|409|503)\z/ } @answers), 0, 'the others do not';
    is $portal->value("SELECT COUNT(*) FROM audit WHERE action = 'account.reset' AND object_id = ?", $account), 1,
        'and one is recorded';
};

subtest 'ASVS 6.6.2: a code is for the reset that asked for it' => sub {
    my ($client, $journey, $name) = holder();
    my ($first, $code)  = with_code($name, $journey->{phone});
    my ($second, $last) = with_code($name, $journey->{phone});
    is_problem(finish($second, $code), 401, 'bad_code', 'not for another of the same login') if $code ne $last;

    my $third = begin($name)->json->{id};
    is_problem(finish($third, $last), 401, 'bad_code', 'nor for one that had none sent');

    my ($other, $others, $their) = holder();
    my ($theirs) = with_code($their, $others->{phone});
    is_problem(finish($theirs, $last), 401, 'bad_code', 'nor for another\'s');

    $portal->forget_limits;
    my $login = $visitor->post('/api/sms-codes', {purpose => 'login', phone => $journey->{phone}});
    my ($for_login) = map { $_->{params}{code} // () } $portal->inbox($journey->{phone});
    is_problem(finish($second, $for_login), 401, 'bad_code', 'nor does a code for signing in');
    is finish($second, $last)->code, 204, 'its own is good';

    is_problem(finish('x' x 22, $last), 404, 'not_found', 'no such reset');
    is_problem(finish('x', $last), 404, 'not_found', 'nor one of another form');
    is_problem(send_code('x' x 22), 422, 'invalid_fields', 'no code for one that is none', {reset => 'choice'});
    is_problem($visitor->post('/api/sms-codes', {purpose => 'login', reset => $second, phone => new_phone()}), 422,
        'invalid_fields', 'nor for another purpose', {reset => 'choice'});
    is_problem($visitor->post('/api/sms-codes', {purpose => 'reset_password', reset => $second, phone => new_phone()}),
        422, 'invalid_fields', 'nor to a number that one likes', {reset => 'choice'});
};

subtest 'limits' => sub {
    my ($client, $journey, $name) = holder();
    my ($reset) = with_code($name, $journey->{phone});
    is_problem(send_code($reset), 429, 'rate_limited', 'once a minute');
    is_problem(send_code(begin($name)->json->{id}), 429, 'rate_limited', 'by another reset neither');
    is send_code(begin("nobody$$")->json->{id})->code, 202, 'others may';

    # The number had its code a moment ago: nothing goes there, and nobody is told.
    my $count = $portal->inbox($journey->{phone});
    $portal->forget_keys('sms-reset-*');
    is send_code($reset)->code, 202, 'the number\'s own limit is not told';
    $portal->forget_limits;
    is send_code($reset)->code, 202, 'a minute later';
    ok $portal->wait_for_messages($journey->{phone}, $count + 1), 'it arrives';
    is scalar($portal->inbox($journey->{phone})), $count + 1, 'and the one before did not';
};

subtest 'captcha' => sub {
    my $before = state_of($portal);
    is_problem($visitor->post('/api/password-resets', {login => 'somebody'}), 403, 'captcha_required', 'none');
    my %captcha = captcha($visitor);
    is_problem($visitor->post('/api/password-resets', {login => 'somebody', %captcha, captcha_answer => 'no'}), 422,
        'bad_captcha', 'a wrong answer');
    is_problem($visitor->post('/api/password-resets', {login => 'somebody', %captcha}), 422, 'bad_captcha',
        'the right one afterwards');
    is_problem($visitor->post('/api/password-resets', {login => 'somebody', captcha($visitor), account => 1}), 422,
        'invalid_fields', 'ASVS 8.2.3, 15.3.3: a field of nobody\'s', {account => 'unknown'});
    is_unchanged($portal, $before, 'nothing changed');
};

subtest 'what Redis holds of it' => sub {
    my ($client, $journey, $name) = holder();
    my ($reset, $code) = with_code($name, $journey->{phone});
    my $all = $portal->stack->service('redis')->value('EVAL', <<~'END', 0);
        local all = ''
        for _, key in ipairs(redis.call('KEYS', 'caportal:*')) do
            local kind = redis.call('TYPE', key).ok
            all = all .. key .. ' ' .. (kind == 'string' and redis.call('GET', key)
                or kind == 'hash' and table.concat(redis.call('HGETALL', key), ' ') or kind) .. '\n'
        end
        return all
        END
    like $all, qr/reset:$reset/, 'the reset itself';
    unlike $all, qr/$journey->{phone}|$name|\b$code\b/, 'neither login nor number nor code';
};

done_testing;
