use v5.36;
use utf8;
use warnings FATAL => 'all';

# Requirements of OWASP ASVS 5.0 about sessions and access, each in a subtest named after it.

use Caportal::Files qw(random_text read_file);
use Caportal::Test;
use Caportal::Test::Edge qw(eventually raw);
use Caportal::Test::Walk qw(certificate_by is_problem operations);
use MIME::Base64 qw(decode_base64url);
use Mojo::JSON qw(decode_json);
use Test::More;
use Time::HiRes qw(time);

use constant WORKERS => 4;

my $portal = Caportal::Test->start(edit => sub ($text) {
    $text =~ s/^worker_processes.*/worker_processes ${\ WORKERS};/m;
    my $guarded = 'location = /guarded { caportal_session required; try_files /none =204; }';
    return $text =~ s{^(\s*)(?=location = /status)}{$1$guarded\n$1}mr;
});

sub secret_of ($client) { return substr $client->cookie, 0, 43 }

sub with_token ($token, $path = '/api/session') {
    return $portal->client->get($path, headers => {Cookie => "__Host-caportal=$token"});
}

sub sign_in_again ($journey, $client) {
    my $again = $portal->journey(map { $_ => $journey->{$_} } qw(person company phone));
    $portal->forget_limits;
    $again->step('sms_code');
    return $client->post('/api/sessions', {method => 'sms', phone => $again->{phone}, code => $again->code});
}

# A connection to each worker, with a cookie.
sub to_each_worker ($token) {
    my (%to, @more);
    while (keys %to < WORKERS) {
        my $connection = raw($portal);
        $connection->{cookie} = $token;
        my $status = $connection->ask($connection->head(GET => '/status'), 5);
        $to{ decode_json($status->{body})->{worker} } //= $connection;
        push @more, $connection;
        die "not every worker answers\n" if @more > 400;
    }
    return values %to;
}

sub is_in ($connection) { return $connection->ask($connection->head(GET => '/guarded'), 5)->{status} == 204 }

# A member with a unit, and an agent of it.
sub unit_of_two () {
    my $founder = $portal->journey;
    $founder->step($_) for qw(registry sms_code sign_in person organization);
    my $agent = $portal->journey(company => $founder->{company});
    $agent->step($_) for qw(registry sms_code sign_in person organization);
    my $id = $agent->applicant->get('/api/session')->json->{account}{id};
    is $agent->applicant->request(PUT => '/api/session/unit', json => {unit => undef})->code, 200,
        "the agent's session acts for no unit, so that it lives on";
    return ($founder, $agent, "/api/units/$founder->{unit}", $id);
}

# The proof that a step asks for, as a browser gives it.
sub prove ($client, $journey) {
    $portal->forget_limits;
    is $client->post('/api/sms-codes', {purpose => 'confirm'})->code, 202, 'a code for the proof';
    return $client->post('/api/session/proof', {method => 'sms', code => $journey->code});
}

subtest '48 (7.2.3): a token holds at least 128 bits of a CSPRNG' => sub {
    my ($client, $journey) = $portal->sign_in;
    my @secrets = secret_of($client);
    for (2 .. 24) {
        is sign_in_again($journey, $client)->code, 201, 'signed in' or last;
        push @secrets, secret_of($client);
    }
    my @bytes = map { decode_base64url($_) } @secrets;
    is_deeply [grep { length != 32 } @bytes], [], '256 bits each';
    is keys %{ {map { $_ => 1 } @secrets} }, @secrets, 'none twice';

    # Each bit is set in about half of them: seven standard deviations on either side.
    my $ones  = unpack '%32b*', join '', @bytes;
    my $total = 256 * @secrets;
    cmp_ok abs($ones - $total / 2), '<', 7 * sqrt($total) / 2, "$ones of $total bits are set";
    my %at = map { my $i = $_; $i => scalar keys %{ {map { substr($_, $i, 1) => 1 } @bytes} } } 0 .. 31;
    is_deeply [grep { $at{$_} < 8 } sort keys %at], [], 'at every place of the token there are many values';
};

subtest '49 (7.2.4): signing in gives a new token and ends the old one' => sub {
    my ($client, $journey) = $portal->sign_in;
    my $old = $client->cookie;
    is sign_in_again($journey, $client)->code, 201, 'signed in again in the same browser';
    isnt $client->cookie, $old, 'a new token';
    is with_token($old)->code, 401, 'the old one is dead';
    is with_token($client->cookie)->code, 200, 'the new one lives';

    my ($other) = $portal->sign_in;
    my $before = $other->cookie;
    is sign_in_again($journey, $other)->code, 201, 'signed in as somebody else';
    is with_token($before)->code, 401, 'the token of the first account is dead too';
    is $other->get('/api/session')->json->{account}{id}, $client->get('/api/session')->json->{account}{id},
        'the browser is the second account';

    my $visitor = $portal->client;
    my $fixed   = ('A' x 43) . substr $client->cookie, 43;
    my $again   = $portal->journey(map { $_ => $journey->{$_} } qw(person phone));
    $portal->forget_limits;
    $again->step('sms_code');
    my $answer = $visitor->request(POST => '/api/sessions', headers => {Cookie => "__Host-caportal=$fixed"},
        json => {method => 'sms', phone => $again->{phone}, code => $again->code});
    is $answer->code, 201, 'signed in with a token that somebody else chose';
    unlike $answer->headers->set_cookie, qr/A{43}/, 'another is given';
    is with_token($fixed)->code, 401, 'the chosen one is worth nothing';
};

subtest '51 (7.4.1): an ended session is refused by every worker within a second' => sub {
    my ($client, $journey) = $portal->sign_in;
    my $account = $client->get('/api/session')->json->{account}{id};
    my %end = (
        'signing out'             => sub ($it, $by) { $it->delete('/api/session') },
        'ending it from another'  => sub ($it, $by) {
            $by->delete('/api/sessions/' . $it->get('/api/session')->json->{session}{id});
        },
        'signing out everywhere'  => sub ($it, $by) { $by->delete('/api/sessions') },
    );
    for my $how ('signing out', 'ending it from another', 'signing out everywhere') {
        my $it      = $portal->sign_in_again($journey);
        my @workers = to_each_worker($it->cookie);
        is scalar(grep { is_in($_) } @workers), WORKERS, "$how: every worker knows the session" for 1 .. 2;
        my $begin = time;
        is $end{$how}->($it, $client)->code, 204, '... it ends';
        ok eventually(sub { !grep { is_in($_) } @workers }, 1), '... for all of them';
        my $took = time - $begin;
        cmp_ok $took, '<', 1, sprintf '... within %.3f s', $took;
        ok !(grep { is_in($_) } @workers), '... and for good';
    }
};

subtest '52 (7.5.1, 7.5.3): a sensitive step asks again who it is' => sub {
    my @fresh = sort map { $_->{id} } grep { $_->{fresh} } @{ operations() };
    ok scalar(grep { $_ eq 'revokeOwnCertificate' } @fresh), "among them revoking: @fresh";
    ok scalar(grep { $_ eq 'handOverUnit' } @fresh), 'and handing a unit over';

    my $holder = $portal->order_until('issued', project => 'medical-insurance', delivery => 'pickup');
    $holder->step('download');
    my $client = $holder->applicant;
    my $revoke = sub ($by = $client) {
        $by->post("/api/certificates/$holder->{serial}/revoke", {reason => 'cessation'}, key => random_text(16));
    };
    is_problem($revoke->(), 403, 'proof_required', 'who has only signed in');
    my $second = $portal->sign_in_again($holder);
    is prove($second, $holder)->code, 200, 'proved in another session';
    is_problem($revoke->(), 403, 'proof_required', 'counts there alone');

    is prove($client, $holder)->code, 200, 'proved here';
    $portal->redis('EVAL', "local all = redis.call('HGETALL', KEYS[1]) for i = 1, #all, 2 do"
            . " redis.call('HSET', KEYS[1], all[i], (string.gsub(all[i + 1], '^(%S+ %S+ %S+ %S+ %S+ %S+) (%d+)',"
            . " function(head, at) return head .. ' ' .. string.format('%d', math.max(0, at - 301000)) end))) end",
        1, 'caportal:sessions:' . $client->get('/api/session')->json->{account}{id});
    ok eventually(sub { $client->post('/api/units/none/administrator', {account => 'none'})->code == 403 }),
        'five minutes later it counts no more';
    is_problem($revoke->(), 403, 'proof_required', 'for whatever demands it');
    is $portal->value('SELECT state FROM certificate WHERE serial = ?', $holder->{serial}), 'valid', 'nothing was done';

    is prove($client, $holder)->code, 200, 'proved again';
    is $revoke->()->code, 200, 'revoked';
};

subtest '53 (8.2.1, 8.2.2): every operation says who may call it, and on what' => sub {
    my @table = @{ operations() };
    is_deeply [grep { !@{ $_->{callers} } } @table], [], 'no row is without callers';
    my @open = grep { grep { $_ eq 'public' } @{ $_->{callers} } } @table;
    is_deeply [grep { $_->{path} =~ m{^/staff/} } @open], [], "nothing of the staff's is for everybody";
    ok -e 't/http/access.t', 'the product of callers, operations and owners is walked in t/http/access.t';
    my $matrix = read_file('t/http/access.t');
    my @owned  = grep { grep { $_ eq 'account' } @{ $_->{callers} } } @table;
    my %names  = map { $_ => 1 } map { $_->{path} =~ /\{(\w+)\}/g } @owned;
    like $matrix, qr/\b$_\b/, "there with another's {$_}" for sort keys %names;
};

subtest '55 (8.3.2): a role that is taken away is gone at the next request' => sub {
    my ($founder, $agent, $path, $id) = unit_of_two();
    my ($client, $other) = ($founder->applicant, $agent->applicant);
    is $client->request(PUT => '/api/session/unit', json => {unit => undef})->code, 200, "nor does the administrator's";
    $portal->prove($client);
    is $client->get("$path/requests")->code, 200, 'the administrator of a unit';
    is_problem($other->get("$path/requests"), 403, 'forbidden', 'is not its agent');
    is $client->post("$path/administrator", {account => $id})->code, 200, 'handed over';
    is_problem($client->get("$path/requests"), 403, 'forbidden', 'the old one is refused');
    is $other->get("$path/requests")->code, 200, 'the new one is not';

    my $old = $client->get('/api/session')->json->{account}{id};
    is $client->get("$path/members")->code, 200, 'an agent';
    is $other->delete("$path/members/$old")->code, 204, 'removed';
    is_problem($client->get("$path/members"), 404, 'not_found', 'sees the unit no more');
    is_problem($client->post('/api/orders', {service => 'new', project => 'procurement', product => 'usbkey-1y',
        unit => $founder->{unit}}), 422, 'invalid_fields', 'nor applies for it', {unit => 'choice'});

    my %certificate = certificate_by($portal, 'staff-ca');
    my $member = $portal->ctl('staff', 'add', '--name', '调岗', '--roles', 'auditor,administrator', '--certificate',
        $certificate{cert});
    chomp $member;
    my $desk = $portal->client('certificate', %certificate);
    is $desk->get('/staff/api/audit')->code, 200, 'a member of staff';
    $portal->ctl('staff', 'roles', $member, '--roles', 'shipper');
    is_problem($desk->get('/staff/api/audit'), 403, 'forbidden', 'whose role was changed');
    $portal->ctl('staff', 'disable', $member);
    is_problem($desk->get('/staff/api/session'), 401, 'certificate_disabled', 'and who has left');
};

done_testing;
