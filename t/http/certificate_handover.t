use v5.36;
use utf8;
use warnings FATAL => 'all';

# A sign-in by certificate, handed over from the server that asks for certificates to the main one: the ticket is good
# once, soon, there, for the page that asked for it, and while the certificate is good.

use Caportal::Test;
use Caportal::Test::Edge qw(settled);
use Caportal::Test::Leaf qw(leaf bind_row serial_of);
use Caportal::Test::Walk qw(is_problem code_of at_once);
use Digest::SHA qw(sha256_hex);
use Test::More;

my $portal = Caportal::Test->start(edit => sub ($text) {
    return $text =~ s/(caportal_password threads)=2 max_queue=8/$1=4 max_queue=64/r;
});
my ($main, $server) = @{ $portal->addresses }{qw(portal certificate)};
my $issuing = $portal->stack->{authority}->file('issuing.pem') =~ s/\.pem\z//r;

my $journey = $portal->order_until('issued', project => 'medical-insurance', delivery => 'pickup');
$journey->step('download');
my %holder = (cert => $journey->{certificate}, key => "$journey->{folder}/holder.key");
my $card   = $portal->client('certificate', %holder);

sub new_state () { return join '', map { ('a' .. 'z', 'A' .. 'Z', 0 .. 9, '-', '_')[rand 64] } 1 .. 43 }

sub hand_over ($client, %handover) {
    return $client->post('/api/sessions', {method => 'certificate', handover => {origin => $main, %handover}});
}

# A ticket and its state.
sub ticket ($client = $card, %more) {
    my $state  = new_state();
    my $answer = hand_over($client, state => $state, %more);
    is $answer->code, 201, 'a ticket is given' or diag $answer->body;
    return ($answer->json->{ticket}, $state);
}

sub redeem ($ticket, $state, $client = $portal->client, %option) {
    return $client->post('/api/sessions', {method => 'ticket', ticket => $ticket, state => $state}, %option);
}

sub sessions () { return $portal->redis('EVAL', q{local n = 0 for _, k in ipairs(redis.call('KEYS', 'caportal:sessions:*'))
    do n = n + redis.call('HLEN', k) end return n}, 0) }

subtest 'from one server to the other' => sub {
    my $before = sessions();
    my $state  = new_state();
    my $answer = hand_over($card, state => $state);
    my $ticket = $answer->json->{ticket};

    is $answer->code, 201, 'the server for certificates';
    like $ticket, qr/\A[\w-]{43}\z/, 'gives a ticket of 256 bits';
    is $answer->json->{url}, "$main/sign-in#ticket=$ticket", 'and where to go with it';
    is $answer->json->{expires_in}, 60, 'within a minute';
    is $answer->headers->set_cookie, undef, 'but no cookie';
    is sessions(), $before, 'and begins no session';

    my $key = 'caportal:ticket:' . sha256_hex($ticket);
    my ($life) = $portal->redis(TTL => $key) =~ /(\d+)/;
    ok $life > 50 && $life <= 60, "Redis keeps its hash for $life s";
    for my $secret ($ticket, $state) {
        is $portal->redis('EVAL', q{local n = 0 for _, key in ipairs(redis.call('KEYS', '*')) do
            local text = key .. (redis.call('TYPE', key).ok == 'string' and redis.call('GET', key) or '')
            if string.find(text, ARGV[1], 1, true) then n = n + 1 end end return n}, 0, $secret), ':0',
            'neither the ticket nor the state';
    }

    my $browser = $portal->client;
    my $signed  = redeem($ticket, $state, $browser);
    is $signed->code, 201, 'the main server';
    like $signed->headers->set_cookie, qr/\A__Host-caportal=/, 'begins the session';
    my $who = $browser->get('/api/session')->json;
    is $who->{session}{method}, 'certificate', 'of a certificate';
    is $who->{account}{id}, $journey->applicant->get('/api/session')->json->{account}{id}, 'of its holder';

    is_problem(redeem($ticket, $state), 401, 'bad_ticket', 'a second time');
    is $portal->value(q{SELECT COUNT(*) FROM audit WHERE action = 'session.hand_over' AND actor_kind = 'applicant'}), 1,
        'the hand-over is recorded';
    is $portal->value(q{SELECT COUNT(*) FROM audit WHERE action = 'session.create' AND detail LIKE '%"certificate"%'}), 1,
        'and the sign-in';
    unlike $portal->logs, qr/$ticket|$state/, 'nothing of it in the logs';
};

subtest 'what is wrong' => sub {
    my ($ticket, $state) = ticket();
    is_problem(redeem($ticket, new_state()), 401, 'bad_ticket', "another page's state");
    is_problem(redeem($ticket, $state), 401, 'bad_ticket', 'has used it up');

    ($ticket, $state) = ticket();
    is_problem(redeem($ticket, $state, $portal->client('certificate')), 401, 'bad_ticket', 'at the other server');
    ($ticket, $state) = ticket($card, origin => $server);
    is_problem(redeem($ticket, $state), 401, 'bad_ticket', 'for the other server');

    ($ticket, $state) = ticket();
    is_problem(redeem($ticket, $state, $portal->client, origin => 'https://evil.example',
        headers => {Host => 'evil.example'}), 403, 'bad_origin', 'at a name that is not ours');
    is_problem(redeem($ticket, $state, $portal->client, origin => 'https://evil.example'), 403, 'bad_origin',
        "sent by a stranger's page");

    ($ticket, $state) = ticket();
    $portal->redis('PEXPIRE', 'caportal:ticket:' . sha256_hex($ticket), 1);
    select undef, undef, undef, 0.01;
    is_problem(redeem($ticket, $state), 401, 'bad_ticket', 'expired');
    is_problem(redeem(new_state(), $state), 401, 'bad_ticket', 'made up');
    cmp_ok $portal->value(q{SELECT COUNT(*) FROM audit WHERE action = 'session.refuse' AND detail LIKE '%"ticket"%'}),
        '>=', 6, 'each refusal is recorded';
};

subtest 'what is malformed' => sub {
    my $state = new_state();
    my @cases = (
        [{origin => 'https://evil.example', state => $state}, {'handover.origin' => 'choice'}],
        [{origin => "$main/", state => $state},               {'handover.origin' => 'choice'}],
        [{origin => $main, state => 'short'},                 {'handover.state' => 'too_short'}],
        [{origin => $main, state => 'x' x 200},               {'handover.state' => 'too_long'}],
        [{origin => $main, state => '/' x 30},                {'handover.state' => 'format'}],
        [{origin => $main},                                   {'handover.state' => 'required'}],
        [{state => $state, more => 1, origin => $main},       {'handover.more' => 'unknown'}],
        [$main,                                               {handover => 'type'}],
    );
    for my $case (@cases) {
        my ($handover, $fields) = @$case;
        is_problem($card->post('/api/sessions', {method => 'certificate', handover => $handover}), 422,
            'invalid_fields', join(' ', %$fields), $fields);
    }
    is_problem($portal->client->post('/api/sessions', {method => 'ticket'}), 422, 'invalid_fields', 'nothing',
        {ticket => 'required', state => 'required'});
    is_problem(hand_over($portal->staff('reviewer'), state => $state), 422, 'invalid_fields',
        "a member of staff's is good here alone", {handover => 'not_sold'});
    is_problem(hand_over($portal->client('certificate'), state => $state), 401, 'certificate_missing',
        'without a certificate');
    is_problem(hand_over($portal->client, state => $state), 401, 'certificate_missing',
        'at the server that asks for none');
};

subtest 'fifty at once' => sub {
    my ($ticket, $state) = ticket();
    my @answers = at_once(map { [$portal->client, POST => '/api/sessions',
        json => {method => 'ticket', ticket => $ticket, state => $state}] } 1 .. 50);
    my %seen;
    $seen{ $_->code == 201 ? 201 : code_of($_) }++ for @answers;
    is_deeply \%seen, {201 => 1, bad_ticket => 49}, 'one signs in';
};

# Between the hand-over and the sign-in.
subtest 'meanwhile' => sub {
    my %certificate = leaf($portal->home . '/meanwhile', issuer => $issuing);
    my $id     = bind_row($portal, $certificate{cert}, $journey->{serial});
    my $client = $portal->client('certificate', %certificate);
    my $state_of = sub ($state) { $portal->change('UPDATE certificate SET state = ? WHERE id = ?', $state, $id) };

    my @ticket = ticket($client);
    $state_of->('superseded');
    is_problem(redeem(@ticket), 401, 'certificate_superseded', 'the certificate is reissued');
    $state_of->('valid');
    is_problem(redeem(@ticket), 401, 'bad_ticket', 'the ticket is used up');

    @ticket = ticket($client);
    my $revoke = $portal->staff('administrator')->post('/staff/api/certificates/' . serial_of($certificate{cert})
        . '/revoke', {reason => 'key_compromise'}, key => 'revoke-meanwhile');
    is $revoke->code, 200, 'the certificate is revoked';
    is_problem(redeem(@ticket), 401, 'certificate_revoked', 'and the ticket with it');

    @ticket = ticket();
    $portal->change(q{UPDATE account SET state = 'disabled' WHERE id = (SELECT account_id FROM certificate WHERE id = ?)},
        $id);
    is_problem(redeem(@ticket), 401, 'certificate_disabled', 'the account is disabled');
    $portal->change(q{UPDATE account SET state = 'active'});
};

# ASVS 3.5.1: another's ticket in a link does not sign a browser in, nor end the session that it has.
subtest 'ASVS 3.5.1' => sub {
    my ($victim, $own) = $portal->sign_in;
    my ($ticket) = ticket();
    my $answer = redeem($ticket, new_state(), $victim);
    is_problem($answer, 401, 'bad_ticket', "the page's own state is not the attacker's");
    is $victim->get('/api/session')->json->{account}{phone}, $own->applicant->get('/api/session')->json->{account}{phone},
        'the browser is who it was';

    # Nor does a page of somebody else's sign anybody in, whatever the way.
    my %ways = (
        certificate => {}, challenge => {challenge => 'x' x 22, serial => 'ab', signature => 'AAAA'},
        ticket => {ticket => 'x' x 43, state => 'x' x 43}, sms => {phone => '13800138000', code => '000000'},
        password => {login => '13800138000', password => 'wrong-wrong'},
    );
    for my $way (sort keys %ways) {
        for my $client ($portal->client, $card) {
            is_problem($client->post('/api/sessions', {method => $way, %{ $ways{$way} }}, origin => $_), 403, 'bad_origin',
                "$way from " . ($_ // 'nowhere'))
                for 'https://evil.example', "$main.evil.example", 'null', undef;
        }
    }
};

settled($portal);
done_testing;
