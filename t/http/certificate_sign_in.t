use v5.36;
use utf8;
use warnings FATAL => 'all';

# What a sign-in by certificate is good for: it acts for the certificate's unit, ends with the certificate, proves once
# more who sits there, comes from tokens, and is never taken from a header.

use Caportal::Files qw(capture command folder read_file write_file);
use Caportal::Test;
use Caportal::Test::Curl qw(curl);
use Caportal::Test::Edge qw(eventually settled);
use Caportal::Test::Leaf qw(leaf bind_row der_of serial_of);
use Caportal::Test::Walk qw(is_problem code_of);
use MIME::Base64 qw(encode_base64);
use Test::More;
use Time::HiRes qw(time);

my $portal  = Caportal::Test->start;
my $folder  = folder($portal->home . '/certificates', 0700);
my $issuing = $portal->stack->{authority}->file('issuing.pem') =~ s/\.pem\z//r;
my $journey = $portal->order_until('issued');
$journey->step('download');
my $serial = $journey->{serial};
my ($account, $unit) = @{ $portal->rows('SELECT account_id, unit_id FROM certificate WHERE serial = ?', $serial)->[0] }
    {qw(account_id unit_id)};
my %card = (cert => $journey->{certificate}, key => "$journey->{folder}/holder.key");
write_file($portal->home . '/data/documents/a.txt', 'a document');

sub bound ($name) {
    my %certificate = leaf("$folder/$name", issuer => $issuing);
    my $id = bind_row($portal, $certificate{cert}, $serial);
    return ($id, %certificate);
}

# A client that has signed in with a certificate.
sub signed_in (%certificate) {
    my $client = $portal->client('certificate', %certificate);
    is $client->post('/api/sessions', {method => 'certificate'})->code, 201, 'signs in';
    return $client;
}

sub signature ($key, $message) {
    write_file("$folder/message", $message);
    command(qw(openssl dgst -sha256 -sign), $key, '-out', "$folder/signature", "$folder/message");
    return encode_base64(read_file("$folder/signature"), '');
}

# At both servers: the same token, as a browser would have it that knows one host only.
sub token_of ($client) { return '__Host-caportal=' . $client->cookie }

sub ask_main ($token, $path) { return $portal->client->get($path, headers => {Cookie => $token}) }

subtest 'acts for its unit' => sub {
    my $second = $portal->journey(person => $journey->{person}, phone => $journey->{phone});
    $second->{applicant} = $journey->applicant;
    $second->step($_) for qw(registry organization);
    is @{ $journey->applicant->get('/api/session')->json->{account}{units} }, 2, 'the holder acts for two units';

    my $client = signed_in(%card);
    is $client->get('/api/session')->json->{session}{unit}, $journey->{unit}, "the session is the certificate's";
    $client->delete('/api/session');
};

# Whoever changes the row ends the sessions in Redis as well; here nobody has.
subtest 'ends with its certificate' => sub {
    my $sms = $journey->applicant;
    my %ends = (
        certificate_revoked    => q{UPDATE certificate SET state = 'revoked', revoked_at = 1 WHERE id = ?},
        certificate_superseded => q{UPDATE certificate SET state = 'superseded' WHERE id = ?},
        certificate_expired    => q{UPDATE certificate SET not_after = 1 WHERE id = ?},
    );
    for my $code (sort keys %ends) {
        my ($id, %certificate) = bound($code);
        my $client = signed_in(%certificate);
        my $token  = token_of($client);
        is ask_main($token, '/documents/a.txt')->code, 200, 'and reads what is guarded';
        is $client->get('/api/orders')->code, 200, 'and orders';

        $portal->change($ends{$code}, $id);
        my $begin = time;
        is_problem($client->get('/api/orders'), 401, $code, 'the next operation says why it ends');
        ok eventually(sub { ask_main($token, '/documents/a.txt')->code == 401 }, 1), 'what is guarded is closed';
        cmp_ok time - $begin, '<', 1, 'within a second';
        is_problem($client->get('/api/session'), 401, 'unauthenticated', 'it is gone');
        is $sms->get('/api/session')->code, 200, 'that of the phone goes on';
    }

    my $change = sub ($sql) { $portal->change($sql, $account) };
    my $client = signed_in(%card);
    $portal->change('DELETE FROM unit_member WHERE unit_id = ? AND account_id = ?', $unit, $account);
    is_problem($client->post('/api/orders', {}, key => 'not-a-member-now'), 401, 'certificate_not_member',
        'with the membership');
    $portal->change(q{INSERT INTO unit_member (unit_id, account_id, role, created_at) VALUES (?, ?, 'administrator', 0)},
        $unit, $account);

    $client = signed_in(%card);
    $change->(q{UPDATE account SET state = 'disabled' WHERE id = ?});
    is_problem($client->delete('/api/sessions'), 401, 'unauthenticated', 'with the account');
    $change->(q{UPDATE account SET state = 'active' WHERE id = ?});
};

# The revocation is not refused for it, and Redis comes back with the session still there.
subtest 'revoked while Redis is away' => sub {
    my ($id, %certificate) = bound('away');
    my $client = signed_in(%certificate);
    $portal->redis('BGREWRITEAOF');
    $portal->process('redis')->stop;

    my $answer = $portal->staff('administrator')->post('/staff/api/certificates/' . serial_of($certificate{cert})
        . '/revoke', {reason => 'key_compromise'}, key => 'revoke-while-away');
    is $answer->code, 200, 'revoked' or diag $answer->body;

    $portal->restart('redis');
    my $code;
    ok eventually(sub { ($code = code_of($client->get('/api/session'))) ne 'session_store_unavailable' }, 5),
        'Redis is back';
    is $code, 'certificate_revoked', 'with the session, which is worth nothing';
    is_problem($client->get('/api/session'), 401, 'unauthenticated', 'and gone');
};

subtest 'proves once more' => sub {
    my $main   = $journey->applicant;
    my $prove  = sub ($client, %body) { $client->post('/api/session/proof', \%body) };
    my $there  = signed_in(%card);
    my (undef, $other_journey) = $portal->sign_in;
    my $other = $other_journey->applicant;

    my $answer = $prove->($there, method => 'certificate');
    is $answer->code, 200, 'by the certificate of the TLS connection' or diag $answer->body;
    ok $answer->json->{until}, 'for a while';
    is_problem($prove->($main, method => 'certificate'), 401, 'certificate_missing', 'where the server asks for none');

    my $state  = 'a' x 43;
    my $ticket = sub { $there->post('/api/sessions', {method => 'certificate', handover => {
        origin => $portal->addresses->{portal}, state => $state}})->json->{ticket} };
    is $prove->($main, method => 'ticket', ticket => $ticket->(), state => $state)->code, 200, 'by a ticket';
    is_problem($prove->($main, method => 'ticket', ticket => $ticket->(), state => 'b' x 43), 401, 'bad_ticket',
        'not by one for another page');
    is_problem($prove->($other, method => 'ticket', ticket => $ticket->(), state => $state), 401,
        'certificate_other_account', "not by another's");

    my $challenge = sub ($client) {
        my $one = $client->post('/api/challenges')->json;
        return (method => 'challenge', challenge => $one->{id}, serial => $serial,
            signature => signature($card{key}, $one->{message}));
    };
    is $prove->($main, $challenge->($main))->code, 200, 'by a challenge';
    is_problem($prove->($other, $challenge->($other)), 401, 'certificate_other_account', "not by another's");
    is_problem($prove->($main, $challenge->($main), signature => 'AAAA'), 401, 'bad_signature', 'not by a wrong one');
    is $portal->value(q{SELECT COUNT(*) FROM audit WHERE action = 'session.prove'}), 3, 'each proof is recorded';
    is $portal->value(q{SELECT COUNT(*) FROM audit WHERE action = 'session.prove.refuse'}), 5, 'and each refusal';
};

# ASVS 4.1.3: what proxies say of clients is for them to say who are configured as such, and none is.
subtest 'ASVS 4.1.3' => sub {
    my $pem  = read_file($card{cert});
    my $line = $pem =~ s/\n/%0A/gr =~ s/ /%20/gr;
    my $der  = encode_base64(der_of($card{cert}), '');
    my %expired = leaf("$folder/expired", issuer => $issuing, from => -3, days => 1);
    my @forged = (
        (map {"$_: $line"} qw(X-SSL-Client-Cert SSL-Client-Cert X-Client-Cert X-ARR-ClientCert SSL_CLIENT_CERT
            X-SSL-CERT X-Forwarded-Client-Cert X-Amzn-Mtls-Clientcert ssl-client-cert)),
        "Client-Cert: :$der:", "X-Forwarded-Tls-Client-Cert: $der",
        (map {"$_: SUCCESS"} qw(X-Client-Verify X-SSL-Client-Verify SSL_CLIENT_VERIFY X-SSL-Verified Client-Verify)),
        "X-SSL-Client-Serial: $serial", 'X-SSL-Client-S-DN: CN=x', 'X-Forwarded-Proto: https', 'X-Staff: 1',
    );
    my @address = map {"$_: 203.0.113.66"} qw(X-Real-IP X-Forwarded-For CF-Connecting-IP True-Client-IP X-Client-IP);
    push @address, 'Forwarded: for=203.0.113.66;proto=https';

    for my $server (qw(portal certificate)) {
        my $base = $portal->addresses->{$server};
        my $ask  = sub ($path, %option) {
            curl("$base$path", folder => $folder, ca => $portal->addresses->{server_ca}, %option,
                headers => ["Origin: $base", @forged, @address]);
        };
        is $ask->('/api/sessions', json => {method => 'certificate'})->{json}{code}, 'certificate_missing',
            "$server: no certificate but in headers";
        is $ask->('/api/sessions', json => {method => 'certificate', handover => {
            origin => $portal->addresses->{portal}, state => 'a' x 43}})->{json}{code}, 'certificate_missing',
            "$server: nor for a ticket";
        is $ask->('/api/session')->{json}{code}, 'unauthenticated', "$server: nobody";
        next if $server eq 'portal';
        is $ask->('/staff/api/session')->{json}{code}, 'certificate_missing', "$server: nor a member of staff";
        is $ask->('/api/sessions', %expired, json => {method => 'certificate'})->{json}{code}, 'certificate_expired',
            "$server: nor better than what is shown";
    }
    is $portal->value(q{SELECT COUNT(*) FROM audit WHERE address LIKE '203.0.113.%'}), 0, 'no address is believed';
};

subtest 'on a token' => sub {
    my ($module) = grep {-e} glob '/usr/lib/softhsm/libsofthsm2.so /usr/lib/*/softhsm/libsofthsm2.so';
    plan skip_all => 'SoftHSM2 is not installed' if !$module;

    folder("$folder/tokens", 0700);
    local $ENV{SOFTHSM2_CONF} = write_file("$folder/softhsm2.conf", "directories.tokendir = $folder/tokens\n");
    local $ENV{PKCS11_MODULE_PATH} = $module;
    command(qw(softhsm2-util --init-token --free --label holder --so-pin 12345678 --pin 4711));
    command(qw(openssl pkcs8 -topk8 -nocrypt -in), $card{key}, '-out', "$folder/token.p8");
    command(qw(softhsm2-util --import), "$folder/token.p8", qw(--token holder --label card --id 01 --pin 4711));
    unlink "$folder/token.p8";

    my $base = $portal->addresses->{certificate};
    my $answer = curl("$base/api/sessions", folder => $folder, ca => $portal->addresses->{server_ca},
        json => {method => 'certificate'}, headers => ["Origin: $base"], cert => $card{cert},
        key => 'pkcs11:token=holder;object=card;type=private;pin-value=4711',
        words => [qw(--engine pkcs11 --key-type ENG)]);
    is $answer->{status}, 201, 'whose key never leaves it' or diag $answer->{body};
    like $answer->{headers}{'set-cookie'}[0], qr/\A__Host-caportal=/, 'signs in';
};

settled($portal);
done_testing;
