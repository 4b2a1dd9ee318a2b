use v5.36;
use utf8;
use warnings FATAL => 'all';

# Proving again who one is, in an open session: what is asked for before a step that matters. Who sits at somebody
# else's open session must not find out what proves them.

use Caportal::Sample qw(new_phone);
use Caportal::Test;
use Caportal::Test::Edge qw(eventually);
use Caportal::Test::Walk qw(at_once code_of is_problem);
use Mojo::JSON qw(from_json);
use Test::More;

my $portal = Caportal::Test->start(edit => sub ($text) {
    return $text =~ s/(caportal_password threads)=2 max_queue=8/$1=4 max_queue=64/r;
});
my $password = '青山不改-绿水长流-77';

# A step that asks for a fresh proof and, once it has one, says that there is no such unit.
sub step ($client) {
    return $client->post('/api/units/none/administrator', {account => 'nobody'});
}

sub prove ($client, %body) { return $client->post('/api/session/proof', \%body) }

# The code that was sent to the account's own number.
sub code_of_owner ($client, $journey) {
    $portal->forget_limits;
    my $answer = $client->post('/api/sms-codes', {purpose => 'confirm'});
    is $answer->code, 202, 'a code is sent to the own number' or diag $answer->body;
    return $journey->code;
}

sub other_than ($code) { return sprintf '%06d', ($code + 1) % 1_000_000 }

sub recorded ($action, $account) {
    return $portal->value('SELECT COUNT(*) FROM audit WHERE action = ? AND object_id = ?', $action, $account);
}

subtest 'a sign-in is no proof' => sub {
    my $client = $portal->sign_in;
    my $answer = step($client);
    is_problem($answer, 403, 'proof_required', 'a moment after it');
    is_deeply $answer->json->{ways}, ['sms'], 'told by which ways there may be one';

    is $client->put('/api/account/password', Mojo::JSON::encode_json({password => $password}),
        'application/json')->code, 200, 'a password';
    is_deeply step($client)->json->{ways}, ['sms', 'password'], 'is a way from now on';
};

subtest 'by a code' => sub {
    my ($client, $journey) = $portal->sign_in;
    my $account = $client->get('/api/session')->json->{account}{id};
    my $code    = code_of_owner($client, $journey);

    is_problem(prove($client, method => 'sms', code => other_than($code)), 401, 'bad_code', 'another code');
    is_problem(step($client), 403, 'proof_required', 'opens nothing');
    my $answer = prove($client, method => 'sms', code => $code);
    is $answer->code, 200, 'the code' or diag $answer->body;
    like $answer->json->{until}, qr/\A\d{4}-\d\d-\d\dT/, 'says until when';
    is_problem(step($client), 404, 'not_found', 'the step is taken');
    is_problem(prove($client, method => 'sms', code => $code), 401, 'bad_code', 'a code works once');
    is recorded('session.prove', $account), 1, 'recorded';
    is recorded('session.prove.refuse', $account), 2, 'and so are the refusals';
};

subtest 'is of one session' => sub {
    my ($client, $journey) = $portal->sign_in;
    my $other = $portal->sign_in_again($journey);
    my $code  = code_of_owner($client, $journey);

    is prove($other, method => 'sms', code => $code)->code, 200, "the account's other session may use the code";
    is_problem(step($client), 403, 'proof_required', 'which is worth nothing here');
    is_problem(step($other), 404, 'not_found', 'but there');

    my $again = $portal->sign_in_again($journey);
    is_problem(step($again), 403, 'proof_required', 'nor in a session that begins later');
};

subtest 'codes of other purposes and of others' => sub {
    my ($client, $journey) = $portal->sign_in;
    my ($other)            = $portal->sign_in;

    $portal->forget_limits;
    $journey->step('sms_code');
    is_problem(prove($client, method => 'sms', code => $journey->code), 401, 'bad_code', 'a code for signing in');

    $portal->forget_limits;
    is $client->post('/api/sms-codes', {purpose => 'change_phone', phone => $journey->{phone}})->code, 202,
        'a code for another number';
    is_problem(prove($client, method => 'sms', code => $journey->code), 401, 'bad_code', 'is none for this');

    my $code = code_of_owner($client, $journey);
    is_problem(prove($other, method => 'sms', code => $code), 401, 'bad_code', "another's code");
    is_problem($portal->client->post('/api/sms-codes', {purpose => 'confirm'}), 401, 'unauthenticated',
        'is for who has signed in');
    is_problem($client->post('/api/sms-codes', {purpose => 'confirm', phone => new_phone()}), 422, 'invalid_fields',
        'and goes to no other number', {phone => 'mismatch'});
    is_problem($portal->client->post('/api/sessions',
        {method => 'sms', phone => $journey->{phone}, code => $code}), 401, 'bad_code', 'nor does it sign in');
};

subtest 'guessed codes' => sub {
    my ($client, $journey) = $portal->sign_in;
    my $code = code_of_owner($client, $journey);
    is_problem(prove($client, method => 'sms', code => sprintf '%06d', ($code + $_) % 1_000_000), 401, 'bad_code',
        "guess $_") for 1 .. 5;
    is_problem(prove($client, method => 'sms', code => $code), 401, 'bad_code', 'the right one is dead');
};

subtest 'by the password' => sub {
    my ($client, $journey) = $portal->sign_in;
    my $account = $client->get('/api/session')->json->{account}{id};
    is_problem(prove($client, method => 'password', password => $password), 401, 'bad_credentials', 'none yet');
    is $client->put('/api/account/password', Mojo::JSON::encode_json({password => $password}),
        'application/json')->code, 200, 'now there is';
    is prove($client, method => 'password', password => $password)->code, 200, 'it proves';
    is_problem(step($client), 404, 'not_found', 'the step is taken');

    my $thief   = $portal->sign_in_again($journey);
    my @answers = map { code_of(prove($thief, method => 'password', password => "guess number $_")) } 1 .. 6;
    is $answers[0], 'bad_credentials', 'a wrong one';
    push @answers, map { code_of($thief->request(PUT => '/api/account/password',
        json => {password => "$password-new", current_password => "guess number $_"})) } 1 .. 5;
    is $answers[-2], 'invalid_fields', 'as the current one at a change';
    is $answers[-1], 'rate_limited', 'not more than ten of both in a quarter of an hour';
    is_problem(prove($thief, method => 'password', password => $password), 429, 'rate_limited',
        'nor the right one then');
    is recorded('session.prove.refuse', $account), 1 + 6, 'each is recorded';
    is recorded('account.password.refuse', $account), 4, 'under its own name';
};

subtest 'time passes' => sub {
    my ($client, $journey) = $portal->sign_in;
    my $account = $client->get('/api/session')->json->{account}{id};
    is prove($client, method => 'sms', code => code_of_owner($client, $journey))->code, 200, 'a proof';
    is_problem(step($client), 404, 'not_found', 'is good');

    # Five minutes and a second earlier, as the record of the session says it: its sixth member.
    my $script = "local key = 'caportal:sessions:$account' local all = redis.call('HGETALL', key) "
        . "local head, proved, tail = string.match(all[2], '^(%S+ %S+ %S+ %S+ %S+ %S+ )(%d+)( .*)') "
        . "redis.call('HSET', key, all[1], head .. string.format('%.0f', tonumber(proved) - 301000) .. tail) return 1";
    is(($portal->redis('EVAL', $script, 0))[0], ':1', 'was five minutes ago');
    ok eventually(sub { step($client)->code == 403 }, 2), 'which every worker hears of';
    is_problem(step($client), 403, 'proof_required', 'and is none any more');
};

subtest 'what is no proof' => sub {
    my $client = $portal->sign_in;
    is_problem(prove($client), 422, 'invalid_fields', 'nothing', {method => 'required'});
    is_problem(prove($client, method => 'magic'), 422, 'invalid_fields', 'another method', {method => 'choice'});
    is_problem(prove($client, method => ['sms']), 422, 'invalid_fields', 'no word', {method => 'type'});
    is_problem(prove($client, method => 'sms'), 422, 'invalid_fields', 'no code', {code => 'required'});
    is_problem(prove($client, method => 'sms', code => '123456', until => '2099-01-01T00:00:00+08:00'), 422,
        'invalid_fields', 'ASVS 8.2.3/15.3.3: a field of the answer', {until => 'unknown'});
    is_problem(prove($portal->client, method => 'sms', code => '123456'), 401, 'unauthenticated', 'without a session');
};

subtest 'one code, many at once' => sub {
    my ($client, $journey) = $portal->sign_in;
    my $code    = code_of_owner($client, $journey);
    my %headers = (headers => {Cookie => '__Host-caportal=' . $client->cookie});
    my @answers = at_once(map { [$client, POST => '/api/session/proof', json => {method => 'sms', code => $code},
        %headers] } 1 .. 20);
    is scalar(grep { $_->code == 200 } @answers), 1, 'one proves';
};

done_testing;
