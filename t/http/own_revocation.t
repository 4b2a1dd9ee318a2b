use v5.36;
use utf8;
use warnings FATAL => 'all';

# A holder, or the administrator of the holder's unit, revokes a certificate: after a fresh proof, at once, with all
# sessions that were begun with it, and on the next revocation list. Nobody else does.

use Caportal::Files qw(random_text write_file);
use Caportal::Test;
use Caportal::Test::Edge qw(eventually);
use Caportal::Test::Race qw(during);
use Caportal::Test::Walk qw(is_problem is_unchanged state_of at_once);
use Test::More;

my $portal = Caportal::Test->start;
write_file($portal->home . '/data/documents/a.txt', 'a document');

# A holder of a certificate, who has just proved who they are.
sub holder (%option) {
    my $journey = $portal->order_until('issued', project => 'medical-insurance', delivery => 'pickup', %option);
    $journey->step('download');
    $portal->prove($journey->applicant);
    return $journey;
}

sub revoke ($client, $serial, $reason = 'key_compromise', %option) {
    return $client->post("/api/certificates/$serial/revoke", {reason => $reason}, %option);
}

sub by_certificate ($journey) {
    my $client = $portal->client('certificate', cert => $journey->{certificate},
        key => "$journey->{folder}/holder.key");
    return ($client, $client->post('/api/sessions', {method => 'certificate'}));
}

sub state_of_certificate ($serial) { return $portal->value('SELECT state FROM certificate WHERE serial = ?', $serial) }

# Reads what is guarded, where no operation looks at any row.
sub reads_guarded ($token) {
    return $portal->client->get('/documents/a.txt', headers => {Cookie => "__Host-caportal=$token"})->code;
}

sub is_listed ($serial) {
    my $issuer = $portal->value('SELECT issuer FROM certificate WHERE serial = ?', $serial);
    my $file   = write_file($portal->home . '/newest.crl', $portal->client->get("/crl/$issuer.crl")->body);
    return scalar(qx(openssl crl -inform DER -in $file -noout -text)) =~ /Serial Number: 0*\Q$serial\E\s/i;
}

my $other = holder();

subtest 'refused' => sub {
    my $holder = holder();
    my $serial = $holder->{serial};
    my $again  = $portal->sign_in_again($holder);
    my $before = state_of($portal);

    is_problem(revoke($other->applicant, $serial), 404, 'not_found', "another's");
    is_problem(revoke($other->applicant, 'ab' x 16), 404, 'not_found', 'one that is none');
    is_problem(revoke($holder->applicant, $serial, $_), 422, 'invalid_fields', "for $_", {reason => 'choice'})
        for qw(privilege_withdrawn ca_compromise boredom);
    is_problem(revoke($holder->applicant, $serial, 'cessation', origin => 'https://evil.example'), 403, 'bad_origin',
        'at the wish of another page');
    is_problem(revoke($again, $serial), 403, 'proof_required', 'without a fresh proof');
    is_problem(revoke($portal->client, $serial), 401, 'unauthenticated', 'by nobody');
    is_unchanged($portal, $before, 'nothing changed');
    is state_of_certificate($serial), 'valid', 'it is valid';
};

subtest 'by its holder' => sub {
    my $holder = holder();
    my $serial = $holder->{serial};
    my ($browser) = by_certificate($holder);
    my $token = $browser->cookie;
    is reads_guarded($token), 200, 'a session that was begun with it';

    my $key    = random_text(16);
    my $answer = revoke($holder->applicant, $serial, 'key_compromise', key => $key);
    is $answer->code, 200, 'revoked' or diag $answer->body;
    is_deeply {%{ $answer->json }{qw(serial state reason)}},
        {serial => $serial, state => 'revoked', reason => 'key_compromise'}, 'it says so';
    ok eventually(sub {
        grep { ($_->{params}{event} // '') =~ /吊销/ }
            @{ $portal->sandbox(get => '/inbox', form => {phone => $holder->{phone}})->json };
    }, 3), 'the holder is told';
    ok eventually(sub { reads_guarded($token) == 401 }, 1), 'the session has ended, everywhere';
    is_problem($browser->get('/api/session'), 401, 'unauthenticated', 'for good');
    is $holder->applicant->get('/api/session')->code, 200, 'that of the phone goes on';
    my (undef, $refused) = by_certificate($holder);
    is_problem($refused, 401, 'certificate_revoked', 'nobody signs in with it');
    ok eventually(sub { is_listed($serial) }, 10), 'the list names it within 10 s';

    is_problem(revoke($holder->applicant, $serial), 409, 'conflict', 'once is enough');
    is revoke($holder->applicant, $serial, 'key_compromise', key => $key)->code, 200,
        'the same request again gets its answer again';
    is $portal->value("SELECT COUNT(*) FROM audit WHERE action = 'certificate.revoke' AND object_id = ?"
            . " AND actor_kind = 'applicant'", $serial), 1, 'recorded once';
    is $portal->value('SELECT hold_key FROM certificate_order WHERE no = ?', $holder->no), undef,
        'the unit may apply again';
};

subtest 'by a session that was begun with it' => sub {
    my $holder = holder();
    my ($client) = by_certificate($holder);
    $portal->prove($client);
    my $answer = revoke($client, $holder->{serial}, 'superseded');
    is $answer->code, 200, 'revoked' or diag $answer->body;
    like $answer->headers->set_cookie // '', qr/\A__Host-caportal=; .*Max-Age=0/, 'the cookie is taken away';
    is_problem($client->get('/api/session'), 401, 'unauthenticated', 'the session has ended');
};

subtest 'by the administrator of the unit' => sub {
    my $founder = $portal->journey;
    $founder->step($_) for qw(registry sms_code sign_in person organization);
    my $agent  = holder(company => $founder->{company});
    my $second = holder(company => $founder->{company}, project => 'procurement');
    $portal->prove($founder->applicant);

    is_problem(revoke($second->applicant, $agent->{serial}), 404, 'not_found', "one agent does not revoke another's");
    my ($browser) = by_certificate($agent);
    is revoke($founder->applicant, $agent->{serial}, 'affiliation_changed')->code, 200, 'the administrator does';
    is_problem($browser->get('/api/session'), 401, 'unauthenticated', "the agent's session by it has ended");
    is $agent->applicant->get('/api/session')->code, 200, 'that of the phone has not';

    my $id = $second->applicant->get('/api/session')->json->{account}{id};
    is $second->applicant->request(PUT => '/api/session/unit', json => {unit => undef})->code, 200,
        'another agent, whose session acts for no unit';
    is $founder->applicant->delete("/api/units/$founder->{unit}/members/$id")->code, 204, 'is removed';
    is_problem(revoke($second->applicant, $second->{serial}), 404, 'not_found', 'and revokes nothing of the unit');
    is state_of_certificate($second->{serial}), 'valid', 'it is valid';
};

subtest 'at once' => sub {
    my $holder = holder();
    my $path   = "/api/certificates/$holder->{serial}/revoke";
    my @answers = at_once(map { [$holder->applicant, POST => $path, json => {reason => 'cessation'},
        headers => {Cookie => '__Host-caportal=' . $holder->applicant->cookie}] } 1 .. 10);
    is scalar(grep { $_->code == 200 } @answers), 1, 'ten at once: one revokes';
    is scalar(grep { $_->code == 409 } @answers), 9, 'the others are told';

    $holder = holder();
    my ($waits, $said) = during($portal,
        ["UPDATE certificate SET state = 'revoked', revoked_at = 1, reason = 1 WHERE serial = ?", $holder->{serial}],
        sub { my ($client, $answer) = by_certificate($holder); $answer->body });
    ok $waits, 'who signs in while it is being revoked waits';
    like $said, qr/certificate_revoked/, 'and is refused';
    my $id = $holder->applicant->get('/api/session')->json->{account}{id};
    is $portal->value("SELECT COUNT(*) FROM audit WHERE action = 'session.create' AND object_id = ?"
            . " AND detail LIKE '%certificate%'", $id), 0, 'no session is recorded';
    is scalar(@{ $holder->applicant->get('/api/sessions')->json->{sessions} }), 1, 'and none is left';
};

subtest 'by staff' => sub {
    my $holder = holder();
    my ($browser) = by_certificate($holder);
    my $token = $browser->cookie;
    is reads_guarded($token), 200, 'a session that was begun with it';
    is $portal->staff('reviewer')->post("/staff/api/certificates/$holder->{serial}/revoke",
        {reason => 'privilege_withdrawn'}, key => random_text(16))->code, 200, 'revoked';
    ok eventually(sub { reads_guarded($token) == 401 }, 1), 'the session has ended';
    is $holder->applicant->get('/api/session')->code, 200, 'that of the phone goes on';
};

done_testing;
