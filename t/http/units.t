use v5.36;
use utf8;
use warnings FATAL => 'all';

# Who acts for a unit: the administrator and the agents, how they come and go, what each may see, and that nothing is
# left to those who have gone: no session, no order, no certificate.

use Caportal::Files qw(random_text);
use Caportal::Sample qw(new_company new_phone);
use Caportal::Test;
use Caportal::Test::Edge qw(eventually);
use Caportal::Test::Race qw(during);
use Caportal::Test::Walk qw(is_problem is_unchanged state_of at_once);
use Test::More;

my $portal = Caportal::Test->start;

# An account with a verified person: client and journey in one hash.
sub somebody (@steps) {
    my $journey = $portal->journey(ref $steps[0] ? %{ shift @steps } : ());
    $journey->step($_) for qw(registry sms_code sign_in person), @steps;
    return {client => $journey->applicant, journey => $journey, phone => $journey->{phone},
        id => $journey->applicant->get('/api/session')->json->{account}{id}};
}

# Somebody who has proved a new company and administers it.
sub founder () {
    my $founder = somebody('organization');
    $founder->{unit} = $founder->{journey}{unit};
    return $founder;
}

sub invite ($by, $phone, %option) {
    return $by->{client}->post("/api/units/$by->{unit}/members", {phone => $phone}, %option);
}

sub invitations ($who) { return @{ $who->{client}->get('/api/invitations')->json->{invitations} } }

# A new agent of somebody's unit, whose session acts for it.
sub agent_of ($founder) {
    my $agent = somebody();
    is invite($founder, $agent->{phone})->code, 201, 'invited' or return;
    my ($invitation) = invitations($agent);
    is $agent->{client}->post("/api/invitations/$invitation->{id}/accept")->code, 200, 'accepted';
    is act_for($agent, $founder->{unit})->code, 200, 'acts for the unit';
    return $agent;
}

sub act_for ($who, $unit) { return $who->{client}->request(PUT => '/api/session/unit', json => {unit => $unit}) }
sub acting ($who)         { return $who->{client}->get('/api/session')->json->{session}{unit} }
sub members ($who, $unit) { return @{ $who->{client}->get("/api/units/$unit/members")->json->{members} } }
sub roles ($who, $unit)   { return {map { $_->{account} => $_->{role} } members($who, $unit)} }

sub role_in ($who, $unit) {
    my ($own) = grep { $_->{id} eq $unit } @{ $who->{client}->get('/api/units')->json->{units} };
    return $own && $own->{role};
}

# What the holder of a number was told by text message, newest first; it comes after the answer.
sub told ($phone, $event) {
    return eventually(sub {
        my $inbox = $portal->sandbox(get => '/inbox', form => {phone => $phone})->json;
        grep { ($_->{params}{event} // '') =~ $event } @$inbox;
    }, 3);
}

sub prove ($who) { return $portal->prove($who->{client}) }

sub hand_over ($who, $to) {
    return $who->{client}->post("/api/units/$who->{unit}/administrator", {account => $to->{id}});
}

# The account signs in once more, in another browser.
sub again ($who) { return {%$who, client => $portal->sign_in_again($who->{journey})} }

my $founder  = founder();
my $stranger = founder();

subtest 'who proves a company' => sub {
    is role_in($founder, $founder->{unit}), 'administrator', 'first is its administrator';

    my $second = somebody({company => $founder->{journey}{company}}, 'organization');
    is $second->{journey}{unit}, $founder->{unit}, 'the same company is the same unit';
    is role_in($second, $founder->{unit}), 'agent', 'who proves it later is an agent';
    is_deeply roles($second, $founder->{unit}), {$founder->{id} => 'administrator', $second->{id} => 'agent'},
        'there is one administrator';
    is $second->{client}->post('/api/identity/organization',
        {kind => 'enterprise', %{ $founder->{journey}{company} }})->code, 200, 'proved once more';
    is role_in($second, $founder->{unit}), 'agent', 'changes nothing';
    is eval { $portal->change("UPDATE unit_member SET role = 'administrator' WHERE unit_id ="
            . ' (SELECT id FROM unit WHERE public_id = ?)', $founder->{unit}); 'done' } // 'refused', 'refused',
        'nor would the database keep two';
    is $second->{client}->delete("/api/units/$founder->{unit}/members/$second->{id}")->code, 204, 'the second leaves';
};

subtest 'an institution that no register knows' => sub {
    my $company  = new_company();
    my $squatter = somebody();
    my $claimed  = $squatter->{client}->post('/api/identity/organization', {kind => 'institution', %$company})->json;
    is $claimed->{verdict}, 'no_record', 'is claimed';
    my $unit = $claimed->{unit};
    is role_in($squatter, $unit), 'agent', 'by an agent: it has no administrator';
    is acting($squatter), $unit, 'whose session acts for it';
    $squatter->{unit} = $unit;
    is_problem(invite($squatter, new_phone()), 403, 'forbidden', 'who lets nobody in');
    is_problem($stranger->{client}->post('/api/units/requests', {map { $_ => $company->{$_} } qw(uscc name)}), 404,
        'not_found', 'nor can be asked');
    my $order = $squatter->{client}->post('/api/orders',
        {service => 'new', project => 'procurement', product => 'usbkey-1y', unit => $unit})->json->{no};

    my $true = {%$company, legal_name => '真法人', legal_id_number => new_company()->{legal_id_number}};
    $portal->sandbox(post => '/registry', json => {organizations => [$true]});
    my $real = somebody();
    is $real->{client}->post('/api/identity/organization', {kind => 'institution', %$true})->json->{unit}, $unit,
        'the register knows it now, with another legal person';
    is_deeply roles($real, $unit), {$real->{id} => 'administrator'}, 'who proves that is alone with it';
    is $squatter->{client}->get('/api/session')->code, 401, 'the session of who claimed it has ended';
    is_deeply [map { $_->{no} } @{ $real->{client}->get('/api/orders')->json->{items} }], [$order],
        'the order that was begun is seen by who proved it';
};

subtest 'a session acts for a unit' => sub {
    my $agent = agent_of($founder);
    my $own   = $agent->{client}->post('/api/identity/organization', {kind => 'institution', %{ new_company() }})
        ->json->{unit};
    is acting($agent), $own, 'for the one that was proved last';
    is act_for($agent, $founder->{unit})->json->{unit}, $founder->{unit}, 'for another';
    is acting($agent), $founder->{unit}, 'as it says';
    is act_for($agent, undef)->json->{unit}, undef, 'for none';
    is acting($agent), undef, 'as it says';
    my $before = state_of($portal);
    is_problem(act_for($agent, $stranger->{unit}), 422, 'invalid_fields', "not for another's", {unit => 'choice'});
    is_problem(act_for($agent, 'nothing'), 422, 'invalid_fields', 'nor for one that is none', {unit => 'choice'});
    is_problem($agent->{client}->request(PUT => '/api/session/unit', json => {}), 422, 'invalid_fields',
        'nor for nothing said', {unit => 'required'});
    is_unchanged($portal, $before, 'nothing changed');
    is acting($agent), undef, 'it acts for none';
    is acting(again($agent)), undef, 'a new session of who has several units acts for none';
    is acting(again($founder)), $founder->{unit}, 'of who has one, for that';
};

subtest 'invitations' => sub {
    my $known   = somebody();
    my $unknown = new_phone();
    my @answers = map { invite($founder, $_) } $known->{phone}, $unknown;
    is_deeply [map { [$_->code, sort keys %{ $_->json }] } @answers], [([201, 'expires_at', 'id']) x 2],
        'a number with an account and one without are answered alike';
    my @open = @{ $founder->{client}->get("/api/units/$founder->{unit}/invitations")->json->{invitations} };
    is_deeply [map { $_->{id} } @open[0, 1]], [map { $_->json->{id} } reverse @answers], 'and listed alike';
    unlike $founder->{client}->get("/api/units/$founder->{unit}/invitations")->body, qr/$known->{phone}|$unknown/,
        'masked';
    is $portal->value('SELECT COUNT(*) FROM unit_invitation WHERE phone_sealed LIKE CONCAT("%", ?, "%")', $unknown), 0,
        'no number stands in the database';
    ok told($_, qr/邀请/), 'and both are told' for $known->{phone}, $unknown;
    is_problem(invite($founder, $unknown), 409, 'already_exists', 'once more');
    is_problem(invite($founder, $founder->{phone}), 409, 'already_exists', 'who is a member');

    my ($one) = invitations($known);
    is_deeply $one->{unit}, {id => $founder->{unit}, map { $_ => $founder->{journey}{company}{$_} } qw(name uscc)},
        'who is invited sees by which unit';
    unlike $one->{invited_by}, qr/$founder->{journey}{person}{name}/, 'and the masked name of who invites';
    is_deeply [invitations($stranger)], [], 'nobody else does';

    my $before = state_of($portal);
    is_problem($stranger->{client}->post("/api/invitations/$one->{id}/$_"), 404, 'not_found', "nor can $_") for
        qw(accept refuse);
    is_problem($founder->{client}->post("/api/invitations/$one->{id}/accept"), 404, 'not_found', 'nor who invites');
    is_problem($stranger->{client}->delete("/api/units/$stranger->{unit}/invitations/$one->{id}"), 404, 'not_found',
        "nor another unit's administrator withdraw it");
    is_unchanged($portal, $before, 'nothing changed');

    my ($late) = map { $_->json->{id} } invite($founder, somebody()->{phone});
    my $newcomer = {client => scalar $portal->sign_in(phone => $unknown)};
    my ($two)    = invitations($newcomer);
    ok $two, 'who registers with the number finds the invitation';
    is_problem($newcomer->{client}->post("/api/invitations/$two->{id}/accept"), 403, 'not_verified',
        'and must be known by name to accept it');

    my @all = at_once(map { [$known->{client}, POST => "/api/invitations/$one->{id}/accept", json => {},
        headers => {Cookie => '__Host-caportal=' . $known->{client}->cookie}] } 1 .. 12);
    is scalar(grep { $_->code == 200 } @all), 1, 'twelve at once: accepted once'
        or diag join ' ', map { $_->code } @all;
    is scalar(grep { $_->code == 404 } @all), 11, 'the others find nothing';
    is role_in($known, $founder->{unit}), 'agent', 'an agent';
    is $portal->value("SELECT COUNT(*) FROM audit WHERE action = 'unit.join' AND detail LIKE CONCAT('%', ?, '%')",
        $one->{id}), 1, 'recorded once';

    is $newcomer->{client}->post("/api/invitations/$two->{id}/refuse")->code, 204, 'refused';
    is_deeply [invitations($newcomer)], [], 'is gone';
    is $founder->{client}->delete("/api/units/$founder->{unit}/invitations/$late")->code, 204, 'withdrawn';
    is_problem($founder->{client}->delete("/api/units/$founder->{unit}/invitations/$late"), 404, 'not_found',
        'once');
};

subtest 'invitations lapse, and are few' => sub {
    my $agent = somebody();
    is invite($founder, $agent->{phone})->code, 201, 'invited';
    my ($one) = invitations($agent);
    $portal->change('UPDATE unit_invitation SET expires_at = created_at WHERE public_id = ?', $one->{id});
    is_deeply [invitations($agent)], [], 'a week later it is gone';
    is_problem($agent->{client}->post("/api/invitations/$one->{id}/accept"), 404, 'not_found',
        'and cannot be accepted');
    is invite($founder, $agent->{phone})->code, 201, 'but sent again';

    my @codes = map { invite($founder, $agent->{phone})->code } 1 .. 6;
    is $codes[-1], 429, 'one number is not invited without end';
    cmp_ok invite($founder, $agent->{phone})->headers->header('Retry-After'), '>', 3600, 'today';

    my $key = 'invite-' . random_text(8);
    my $phone = new_phone();
    my ($first, $again) = map { invite($stranger, $phone, key => $key) } 1 .. 2;
    is $first->code . $first->body, $again->code . $again->body, 'the same request is answered the same';
};

subtest 'asking to join' => sub {
    my $asker = somebody();
    my %unit  = map { $_ => $founder->{journey}{company}{$_} } qw(uscc name);
    my $ask   = sub (%change) { $asker->{client}->post('/api/units/requests', {%unit, %change}) };

    is_problem($ask->(name => '另一家公司'), 404, 'not_found', 'a name that is not of the code');
    is_problem($ask->(uscc => new_company()->{uscc}), 404, 'not_found', 'a code that is not of the name');
    is_problem(scalar $portal->sign_in()->post('/api/units/requests', \%unit), 403, 'not_verified',
        'somebody without a name');
    my $asked = $ask->(uscc => lc $unit{uscc});
    is $asked->code, 201, 'asked' or diag $asked->body;
    ok told($founder->{phone}, qr/申请/), 'the administrator is told';
    is_problem($ask->(), 409, 'already_exists', 'once');
    is_problem($founder->{client}->post('/api/units/requests', \%unit), 409, 'already_exists', 'a member does not ask');
    is_deeply [map { $_->{state} } @{ $asker->{client}->get('/api/units/requests')->json->{requests} }], ['open'],
        'who asked sees that it is open';

    my $id     = $asked->json->{id};
    my $agent  = agent_of($founder);
    my $path   = "/api/units/$founder->{unit}/requests";
    my $before = state_of($portal);
    is_problem($agent->{client}->get($path), 403, 'forbidden', 'an agent does not see who asks');
    is_problem($agent->{client}->post("$path/$id/approve"), 403, 'forbidden', 'nor decides');
    is_problem($asker->{client}->post("$path/$id/approve"), 404, 'not_found', 'nor who asks');
    is_problem($stranger->{client}->post("$path/$id/approve"), 404, 'not_found', "nor another unit's administrator");
    is_problem($stranger->{client}->post("/api/units/$stranger->{unit}/requests/$id/approve"), 404, 'not_found',
        'for his unit');
    is_unchanged($portal, $before, 'nothing changed');

    my ($seen) = @{ $founder->{client}->get($path)->json->{requests} };
    is $seen->{id}, $id, 'the administrator sees it';
    unlike $founder->{client}->get($path)->body, qr/$asker->{phone}|$asker->{journey}{person}{name}/, 'masked';

    my %cookie = (headers => {Cookie => '__Host-caportal=' . $founder->{client}->cookie}, json => {});
    my @both = at_once(map { [$founder->{client}, POST => "$path/$id/$_", %cookie] } (qw(approve refuse)) x 5);
    is scalar(grep { $_->is_success } @both), 1, 'ten decisions at once: one counts';
    my ($state) = map { $_->{state} } @{ $asker->{client}->get('/api/units/requests')->json->{requests} };
    is !!role_in($asker, $founder->{unit}), $state eq 'approved', "which was: $state";

    my $next = somebody();
    $next->{client}->post('/api/units/requests', \%unit);
    ($seen) = @{ $founder->{client}->get($path)->json->{requests} };
    is $founder->{client}->post("$path/$seen->{id}/approve")->json->{account}, $next->{id}, 'approved';
    is role_in($next, $founder->{unit}), 'agent', 'an agent';
    ok told($next->{phone}, qr/结果/), 'who is told';
    is_deeply $founder->{client}->get($path)->json->{requests}, [], 'nobody asks any more';

    my $third = somebody();
    $third->{client}->post('/api/units/requests', \%unit);
    $portal->change('UPDATE unit_request SET expires_at = created_at WHERE is_open = 1');
    is_deeply $founder->{client}->get($path)->json->{requests}, [], 'a month later it has lapsed';
    is $third->{client}->get('/api/units/requests')->json->{requests}[0]{state}, 'lapsed', 'as who asked sees';
    is $third->{client}->post('/api/units/requests', \%unit)->code, 201, 'and may ask again';
    my @codes = map { $third->{client}->post('/api/units/requests', \%unit)->code } 1 .. 9;
    is $codes[-1], 429, 'though not without end';
};

subtest 'members are seen masked, by members' => sub {
    my $agent = agent_of($founder);
    my $path  = "/api/units/$founder->{unit}/members";
    is $agent->{client}->get($path)->json->{members}[0]{role}, 'administrator', 'the administrator is first';
    my $text = $agent->{client}->get($path)->body;
    utf8::decode($text);
    unlike $text, qr/$_->{phone}|$_->{journey}{person}{name}|$_->{journey}{person}{id_number}/, 'masked'
        for $founder, $agent;
    is_problem($stranger->{client}->get($path), 404, 'not_found', 'others see nothing');
};

sub order_for ($who, $unit, %option) {
    my $journey = $who->{journey};
    @$journey{qw(unit project), keys %option} = ($unit, 'procurement', values %option);
    delete $journey->{done}{$_} for qw(create fill_in materials agreement csr submit claim approve);
    $journey->{done}{organization} = 1;
    return $journey;
}

subtest 'a member is removed' => sub {
    my $agent   = agent_of($founder);
    my $other   = agent_of($founder);
    my $browser = again($agent);
    is act_for($browser, undef)->code, 200, 'another session of the agent acts for no unit';
    my $journey = order_for($agent, $founder->{unit});
    $journey->step($_) for qw(catalog create fill_in materials agreement csr);
    my $order = '/api/orders/' . $journey->no;

    my $path   = "/api/units/$founder->{unit}/members";
    my $before = state_of($portal);
    is_problem($other->{client}->delete("$path/$agent->{id}"), 403, 'forbidden', 'not by another agent');
    is_problem($stranger->{client}->delete("$path/$agent->{id}"), 404, 'not_found', "nor by another unit's");
    is_problem($founder->{client}->delete("$path/$founder->{id}"), 409, 'conflict', 'nor the administrator by himself');
    is_problem($founder->{client}->delete("$path/$stranger->{id}"), 404, 'not_found', 'nor who is none');
    is_problem($founder->{client}->get("$order"), 404, 'not_found', 'the administrator has not the order');
    is_unchanged($portal, $before, 'nothing changed');

    is $founder->{client}->delete("$path/$agent->{id}")->code, 204, 'by the administrator';
    is $agent->{client}->get('/api/session')->code, 401, 'the session that acted for the unit has ended';
    ok told($agent->{phone}, qr/移出/), 'the agent is told';
    is $browser->{client}->get('/api/session')->code, 200, 'another has not';
    is role_in($browser, $founder->{unit}), undef, 'the unit is not his any more';
    is_problem($browser->{client}->get($path), 404, 'not_found', 'nor its members');
    is_problem(act_for($browser, $founder->{unit}), 422, 'invalid_fields', 'nor to act for', {unit => 'choice'});
    is_problem($browser->{client}->get($order), 404, 'not_found', 'nor the order');
    is_problem($browser->{client}->post("$order/submit"), 404, 'not_found', 'nor to submit');
    is_deeply $browser->{client}->get('/api/orders')->json->{items}, [], 'nor to list';

    my $taken = $founder->{client}->get($order)->json;
    is $taken->{state}, 'draft', 'it is the administrator\'s';
    ok !$taken->{csr}, "without the agent's request";
    ok !$taken->{agreement}{accepted}, 'or acceptance';
    is $portal->value('SELECT person_id FROM certificate_order WHERE no = ?', $journey->no),
        $portal->value('SELECT person_id FROM account WHERE public_id = ?', $founder->{id}), 'in his name';
    is $portal->value("SELECT COUNT(*) FROM audit WHERE action = 'order.hand_over' AND object_id = ?", $journey->no), 1,
        'recorded with the order';
    is $portal->value("SELECT COUNT(*) FROM audit WHERE action = 'unit.remove' AND detail LIKE CONCAT('%', ?, '%')",
        $agent->{id}), 1, 'and with the unit';

    is $other->{client}->delete("$path/$other->{id}")->code, 204, 'another leaves';
    is $other->{client}->get('/api/session')->code, 401, 'whose session acted for the unit';
};

# Whoever holds the key signs in as the account of the certificate's order.
subtest 'an order that the signer has' => sub {
    my $agent   = agent_of($founder);
    my $journey = order_for($agent, $founder->{unit}, project => 'public-resources');
    $journey->until_state('issued');
    $journey->step('download');
    my $no = $journey->no;
    is $founder->{client}->delete("/api/units/$founder->{unit}/members/$agent->{id}")->code, 204,
        'the agent is removed';
    is $portal->value('SELECT COUNT(*) FROM certificate_order o JOIN account a ON a.id = o.account_id'
            . ' WHERE o.no = ? AND a.public_id = ?', $no, $agent->{id}), 1, 'the order stays with the key';
    my $browser = again($agent);
    is_problem($browser->{client}->get("/api/orders/$no"), 404, 'not_found', 'the agent does not see it');
    is_deeply $browser->{client}->get('/api/certificates')->json->{items}, [], 'nor the certificate';
    is_problem($browser->{client}->get("/api/certificates/$journey->{serial}"), 404, 'not_found', 'nor downloads it');

    my $list = $founder->{client}->get("/api/orders?unit=$founder->{unit}")->json->{items};
    is scalar(grep { $_->{no} eq $no } @$list), 1, 'the administrator lists it';
    my $held = $founder->{client}->get("/api/certificates?unit=$founder->{unit}")->json->{items};
    is_deeply [map { $_->{serial} } @$held], [$journey->{serial}], 'and the certificate';
    is $founder->{client}->get("/api/certificates/$journey->{serial}")->code, 200, 'and downloads it';
    is scalar(@{ $founder->{client}->get("/api/orders?unit=$founder->{unit}&state=issued&limit=1")->json->{items} }), 1,
        'by state';

    # The signer has it, though it has not begun.
    my $late = agent_of($founder);
    $portal->kill('signer');
    my $waiting = order_for($late, $founder->{unit}, project => 'medical-insurance', delivery => 'pickup');
    delete $waiting->{done}{$_} for qw(payment voucher confirm);
    $waiting->{free} = 1;
    $waiting->step($_) for qw(catalog create fill_in materials agreement csr submit claim approve);
    is $founder->{client}->delete("/api/units/$founder->{unit}/members/$late->{id}")->code, 204,
        'another, whose order waits for the signer';
    is_problem($founder->{client}->get('/api/orders/' . $waiting->no), 404, 'not_found', 'it is not handed over');
    $portal->restart('signer');
    ok eventually(sub {
        $portal->value('SELECT COUNT(*) FROM certificate c JOIN certificate_order o ON o.id = c.order_id'
            . ' JOIN account a ON a.id = c.account_id WHERE o.no = ? AND a.public_id = ?', $waiting->no, $late->{id});
    }), 'the certificate is of the account whose key it has';

    for my $list (qw(orders certificates)) {
        is_problem($stranger->{client}->get("/api/$list?unit=$founder->{unit}"), 404, 'not_found',
            "$list of another's unit");
        is_problem(agent_of($founder)->{client}->get("/api/$list?unit=$founder->{unit}"), 403, 'forbidden',
            "$list of all, for an agent");
    }
};

subtest 'handing over' => sub {
    my $founder = founder();
    my $agent   = agent_of($founder);
    my $spare   = again($founder);
    is act_for($spare, undef)->code, 200, 'another session of the administrator acts for no unit';

    my $before = state_of($portal);
    is_problem(hand_over($founder, $agent), 403, 'proof_required', 'without a fresh proof');
    prove($_) for $founder, $agent, $stranger;
    is_problem(hand_over({%$agent, unit => $founder->{unit}}, $agent), 403, 'forbidden', 'by an agent to himself');
    is_problem(hand_over({%$stranger, unit => $founder->{unit}}, $stranger), 404, 'not_found', 'by a stranger');
    is_problem(hand_over($founder, $_->[0]), 422, 'invalid_fields', $_->[1], {account => 'choice'})
        for [$stranger, 'to a stranger'], [$founder, 'to himself'];
    $portal->change("UPDATE account SET state = 'disabled' WHERE public_id = ?", $agent->{id});
    is_problem(hand_over($founder, $agent), 422, 'invalid_fields', 'to an account that is disabled',
        {account => 'choice'});
    $portal->change("UPDATE account SET state = 'active' WHERE public_id = ?", $agent->{id});
    is_unchanged($portal, $before, 'nothing changed');

    my $answer = hand_over($founder, $agent);
    is $answer->code, 200, 'to an agent' or diag $answer->body;
    like $answer->headers->set_cookie // '', qr/Max-Age=0/, 'the own session is over';
    is $_->{client}->get('/api/session')->code, 401, 'and refused' for $founder, $agent;
    ok told($_->{phone}, qr/管理员已变更/), 'both are told' for $founder, $agent;
    is role_in($spare, $founder->{unit}), 'agent', 'the old administrator is an agent';
    is_problem(invite($spare, new_phone()), 403, 'forbidden', 'from the next request on');

    $agent = again($agent);
    $agent->{unit} = $founder->{unit};
    is role_in($agent, $founder->{unit}), 'administrator', 'the agent is the administrator';
    is invite($agent, new_phone())->code, 201, 'and acts as it';
    is $spare->{client}->delete("/api/units/$founder->{unit}/members/$founder->{id}")->code, 204, 'the old one leaves';

    my $next = agent_of($agent);
    prove($agent);
    my @answers = at_once(map { [$agent->{client}, POST => "/api/units/$agent->{unit}/administrator",
        json => {account => $next->{id}},
        headers => {Cookie => '__Host-caportal=' . $agent->{client}->cookie}] } 1 .. 6);
    is scalar(grep { $_->code == 200 } @answers), 1, 'six at once: one counts';
    is $portal->value("SELECT COUNT(*) FROM unit_member m JOIN unit u ON u.id = m.unit_id WHERE u.public_id = ?"
            . " AND m.role = 'administrator'", $agent->{unit}), 1, 'there is one administrator';
};

# What cannot be taken from the sessions is not taken at all.
subtest 'without the session store' => sub {
    my $agent  = agent_of($founder);
    my $user   = $portal->stack->{database} . '_web';
    my $before = state_of($portal);
    $portal->redis(qw(ACL SETUSER), $user, '-hgetall');
    is_problem($founder->{client}->delete("/api/units/$founder->{unit}/members/$agent->{id}"), 503,
        'session_store_unavailable', 'nobody is removed');
    $portal->redis(qw(ACL SETUSER), $user, '+hgetall');
    is_unchanged($portal, $before, 'nothing changed');
    is $founder->{client}->delete("/api/units/$founder->{unit}/members/$agent->{id}")->code, 204, 'a moment later';
};

# Somebody asks while a removal is in its transaction: they must wait for the outcome.
sub while_removed ($agent, $asks) {
    return during($portal, ['DELETE m FROM unit_member m JOIN account a ON a.id = m.account_id WHERE a.public_id = ?',
        $agent->{id}], $asks);
}

subtest 'a session that begins while the membership ends' => sub {
    my $agent = agent_of($founder);
    my $again = $portal->journey(map { $_ => $agent->{journey}{$_} } qw(person phone));
    $portal->forget_limits;
    $again->step('sms_code');
    my ($waits, $unit) = while_removed($agent, sub {
        $again->step('sign_in');
        return $again->applicant->get('/api/session')->json->{session}{unit} // 'none';
    });
    ok $waits, 'signing in waits for what becomes of it';
    is $unit, 'none', 'and acts for no unit';

    $agent = agent_of($founder);
    is act_for($agent, undef)->code, 200, 'another acts for none';
    ($waits, my $code) = while_removed($agent, sub { act_for($agent, $founder->{unit})->code });
    ok $waits, 'switching waits too';
    is $code, 422, 'and is refused';
};

subtest 'a lost administrator' => sub {
    my $founder = founder();
    my $agent   = agent_of($founder);
    my $staff   = $portal->staff('administrator');
    my $uscc    = $founder->{journey}{company}{uscc};
    my $path    = "/staff/api/units/$founder->{unit}/administrator";
    my %body    = (account => $agent->{id}, reason => '原管理员离职，已核验公函');

    my ($unit) = @{ $staff->get('/staff/api/units?uscc=' . lc $uscc)->json->{units} };
    is $unit->{id}, $founder->{unit}, 'staff find the unit';
    is_deeply {map { $_->{account} => $_->{role} } @{ $unit->{members} }},
        {$founder->{id} => 'administrator', $agent->{id} => 'agent'}, 'and its members';
    my $text = $staff->get("/staff/api/units?uscc=$uscc")->body;
    utf8::decode($text);
    unlike $text, qr/$_->{phone}|$_->{journey}{person}{name}/, 'masked' for $founder, $agent;
    is_problem($staff->get('/staff/api/units'), 400, 'bad_query', 'by its code alone', {uscc => 'required'});
    is_problem($staff->get('/staff/api/units?uscc=91'), 400, 'bad_query', 'a whole one', {uscc => 'format'});
    is_deeply $staff->get('/staff/api/units?uscc=' . new_company()->{uscc})->json->{units}, [], 'or nothing';

    my $before = state_of($portal);
    is_problem($portal->staff('reviewer')->post($path, \%body), 403, 'forbidden', 'a reviewer appoints nobody');
    is_problem($staff->post($path, {%body, account => $stranger->{id}}), 422, 'invalid_fields', 'nor is a stranger',
        {account => 'choice'});
    is_problem($staff->post($path, {%body, reason => ' '}), 422, 'invalid_fields', 'nor anybody without reason',
        {reason => 'required'});
    is_problem($staff->post('/staff/api/units/nothing/administrator', \%body), 404, 'not_found', 'nor for no unit');
    is_unchanged($portal, $before, 'nothing changed');

    is $staff->post($path, \%body)->code, 200, 'appointed';
    is $_->{client}->get('/api/session')->code, 401, 'the sessions of both that act for the unit have ended'
        for $founder, $agent;
    ok told($_->{phone}, qr/管理员已变更/), 'both are told' for $founder, $agent;
    is role_in(again($agent), $founder->{unit}), 'administrator', 'the agent is the administrator';
    is role_in(again($founder), $founder->{unit}), 'agent', 'the lost one an agent';
    is_deeply $portal->rows('SELECT reason FROM unit_appointment'), [{reason => $body{reason}}], 'the reason is kept';
    is $portal->value("SELECT COUNT(*) FROM audit WHERE action = 'unit.administrator' AND actor_kind = 'staff'"), 1,
        'and who did it';
};

done_testing;
