use v5.36;
use utf8;
use warnings FATAL => 'all';

# Sessions of staff, where the operator wants them: the certificate alone does nothing, nor does the session alone.

use Caportal::Test;
use Caportal::Test::Edge qw(eventually settled);
use Caportal::Test::Walk qw(is_problem operations path_of certificate_by);
use Digest::SHA qw(sha256_hex);
use Test::More;

my $portal = Caportal::Test->start(edit => sub ($text) {
    return $text =~ s/# (caportal_staff_session )/$1/r;
});

sub add_staff ($name, $roles = 'reviewer,auditor') {
    my %certificate = certificate_by($portal, 'staff-ca');
    my $id = $portal->ctl(qw(staff add --name), $name, '--roles', $roles, '--certificate', $certificate{cert});
    chomp $id;
    return ($id, %certificate);
}

sub client (%certificate) { return $portal->client('certificate', %certificate) }

sub sign_in ($client) { return $client->post('/api/sessions', {method => 'certificate'}) }

sub token_of ($client) {
    my ($cookie) = grep { $_->name eq '__Host-caportal-staff' } @{ $client->agent->cookie_jar->all };
    return $cookie && $cookie->value;
}

sub with ($client, $token) { return $client->get('/staff/api/session', headers => {Cookie => "__Host-caportal-staff=$token"}) }

my ($id, %card) = add_staff('甲');
my (undef, %other) = add_staff('乙');

subtest 'begins' => sub {
    my $client = client(%card);
    is_problem($client->get('/staff/api/session'), 401, 'unauthenticated', 'the certificate alone');

    my $answer = sign_in($client);
    is $answer->code, 201, 'signs in';
    like $answer->headers->set_cookie,
        qr/\A__Host-caportal-staff=[\w-]{43}; (?=.*Path=\/)(?=.*Secure)(?=.*HttpOnly)(?=.*SameSite=Strict)/,
        'with a cookie for this server alone';
    unlike $answer->headers->set_cookie, qr/Domain|Max-Age|Expires/i, 'until the browser closes';
    my $who = $client->get('/staff/api/session');
    is $who->code, 200, 'and is in';
    is $who->json->{id}, $id, 'as who it is';
    ok $who->json->{session}{since} lt $who->json->{session}{expires}, 'for a while';
    is $client->get('/staff/api/orders')->code, 200, 'the desk is open';

    my $token = token_of($client);
    is $portal->redis('EVAL', q{local text = redis.call('GET', KEYS[1])
        return {string.find(text, ARGV[1], 1, true) and 1 or 0, string.find(text, ARGV[2], 1, true) and 1 or 0}}, 1,
        "caportal:staff-session:$id", $token, sha256_hex($token)), '*2', 'Redis has it';
    is $portal->redis('EVAL', q{return string.find(redis.call('GET', KEYS[1]), ARGV[1], 1, true) and 1 or 0}, 1,
        "caportal:staff-session:$id", $token), ':0', 'but not the token';
};

subtest 'is bound' => sub {
    my ($client, $stranger) = (client(%card), client(%other));
    sign_in($client);
    sign_in($stranger);
    my $token = token_of($client);

    is with(client(%card), $token)->code, 200, 'the token with its certificate';
    is_problem(with(client(%other), $token), 401, 'unauthenticated', "with a colleague's");
    is_problem(with(client(%card), token_of($stranger)), 401, 'unauthenticated', "and the other way round");
    is_problem(with(client(), $token), 401, 'certificate_missing', 'without any');
    is_problem(with(client(%card), $_), 401, 'unauthenticated', 'a token made up') for 'x' x 43, '', 'short';
    is_problem(client(%card)->get('/staff/api/session', headers => {Cookie => "__Host-caportal-staff=$token; "
        . '__Host-caportal-staff=' . 'x' x 43}), 401, 'unauthenticated', 'two of them');
    is_problem($client->post('/staff/api/orders/x/claim', {}, origin => 'https://evil.example'), 403, 'bad_origin',
        "a stranger's page");
    is_problem(client(%card)->get('/api/session', headers => {Cookie => "__Host-caportal-staff=$token"}), 401,
        'unauthenticated', 'it is none of an account');
};

subtest 'anew' => sub {
    my $client = client(%card);
    sign_in($client);
    my $old = token_of($client);
    sign_in($client);
    isnt token_of($client), $old, 'each sign-in has another token';
    is_problem(with(client(%card), $old), 401, 'unauthenticated', 'the one before it is worth nothing');
    is with(client(%card), token_of($client))->code, 200, 'the new one is';
};

subtest 'ends' => sub {
    my $client = client(%card);
    sign_in($client);
    my $token = token_of($client);
    my $answer = $client->delete('/staff/api/session');
    is $answer->code, 204, 'by signing out';
    like $answer->headers->set_cookie, qr/\A__Host-caportal-staff=;.*Max-Age=0/, 'which takes the cookie away';
    is_problem(with(client(%card), $token), 401, 'unauthenticated', 'for good');
    is_problem(client(%card)->delete('/staff/api/session'), 401, 'unauthenticated', 'there is nothing to end');

    sign_in($client);
    $portal->ctl(qw(staff roles), $id, '--roles', 'auditor');
    is_problem($client->get('/staff/api/session'), 401, 'unauthenticated', 'by a change of roles');
    sign_in($client);
    is_deeply $client->get('/staff/api/session')->json->{roles}, ['auditor'], 'which is in the next one';

    $portal->ctl(qw(staff disable), $id);
    is_problem($client->get('/staff/api/session'), 401, 'certificate_disabled', 'by disabling the member');
    is_problem(sign_in($client), 401, 'certificate_disabled', 'who does not sign in any more');
    is $portal->value(q{SELECT COUNT(*) FROM audit WHERE action = 'staff.sign_out'}), 1, 'the end is recorded';
};

subtest 'every operation of staff needs one' => sub {
    my $client = client(%other);
    my @table  = grep { $_->{path} =~ m{\A/staff/} } @{ operations() };
    my %value  = (no => 'x', kind => 'licence', id => 'x', serial => 'ab', unit => 'x', account => 'x');
    my %seen;
    for my $row (@table) {
        my $answer = $client->request($row->{method} => path_of($row->{path}, \%value),
            $row->{body} eq 'json' ? (json => {}) : (), key => 'staff-session-walk');
        $seen{ $answer->code }++;
        is_problem($answer, 401, 'unauthenticated', $row->{id}) if $answer->code != 401;
    }
    is_deeply \%seen, {401 => scalar @table}, scalar(@table) . ' of them';
};

subtest 'without Redis' => sub {
    my $client = client(%other);
    sign_in($client);
    is $client->get('/staff/api/session')->code, 200, 'in';
    $portal->process('redis')->stop;
    is_problem($client->get('/staff/api/session'), 503, 'session_store_unavailable', 'nobody is let in unseen');
    is_problem(sign_in($client), 503, 'session_store_unavailable', 'nor signed in');
    $portal->restart('redis');
    ok eventually(sub { sign_in($client)->code == 201 }, 5), 'afterwards';
};

settled($portal);
done_testing;
