use v5.36;
use utf8;
use warnings FATAL => 'all';

# Signing in with a key that TLS cannot carry: the portal gives bytes to sign that name itself, the key signs them, and
# the certificate passes the same checks as on a TLS connection.

use Caportal::Files qw(capture command folder read_file write_file);
use Caportal::Test;
use Caportal::Test::Edge qw(settled);
use Caportal::Test::Leaf qw(leaf authority bind_row der_of serial_of tampered SM2_ID);
use Caportal::Test::Walk qw(is_problem code_of at_once);
use MIME::Base64 qw(encode_base64);
use Test::More;

my $portal = Caportal::Test->start(edit => sub ($text) {
    return $text =~ s/(caportal_password threads)=2 max_queue=8/$1=4 max_queue=64/r;
});
my $main   = $portal->addresses->{portal};
my $ca     = $portal->stack->{authority};
my $folder = folder($portal->home . '/certificates', 0700);
my ($issuing, $root, $staff_ca) = map { $ca->file($_) =~ s/\.pem\z//r } qw(issuing.pem root.pem staff-ca.pem);

my $journey = $portal->order_until('issued');
$journey->step('download');
my $serial = $journey->{serial};
my %card   = (cert => $journey->{certificate}, key => "$journey->{folder}/holder.key");

# An authority on the curve of SM2, as the signer would have recorded it.
my $sm2_ca = authority("$folder/sm2-ca", '/C=CN/O=内蒙古CA/CN=内蒙古CA 国密（开发）', 'sm2');
$portal->change('INSERT INTO issuer (name, certificate, created_at) VALUES ("sm2-1", UNHEX(?), 0)',
    unpack 'H*', der_of("$sm2_ca.pem"));

sub base64 ($bytes) { return encode_base64($bytes, '') }

sub challenge ($client = $portal->client) {
    my $answer = $client->post('/api/challenges');
    is $answer->code, 201, 'a challenge' or diag $answer->body;
    return $answer->json;
}

# A key's signature; form: der, raw (r and s), pss.
sub signature ($key, $message, $form = 'der') {
    my $file = write_file("$folder/message", $message);
    my $sm2  = capture(qw(openssl pkey -noout -text -in), $key) =~ /ASN1 OID: SM2/;
    command(qw(openssl pkeyutl -sign -rawin -inkey), $key, '-in', $file, '-out', "$folder/signature",
        $sm2 ? ('-digest', 'sm3', '-pkeyopt', 'distid:' . SM2_ID) : ('-digest', 'sha256'),
        $form eq 'pss' ? qw(-pkeyopt rsa_padding_mode:pss -pkeyopt rsa_pss_saltlen:32) : ());
    my $bytes = read_file("$folder/signature");
    return $form eq 'raw' ? raw($bytes) : $bytes;
}

sub raw ($der) {
    my @numbers = map { s/\A\0+//r } (unpack 'C C/a*', substr $der, 2)[1], (unpack 'x C/a* C C/a*', substr $der, 2)[2];
    return join '', map { "\0" x (32 - length) . $_ } @numbers;
}

# The answer to a challenge: certificate and key as options of a client; more of the body in %more.
sub sign_in ($challenge, $card, %more) {
    my $client  = delete $more{client} // $portal->client;
    my $form    = delete $more{form} // 'der';
    my $message = delete $more{message} // $challenge->{message};
    return $client->post('/api/sessions', {
        method      => 'challenge',
        challenge   => $challenge->{id},
        certificate => base64(der_of($card->{cert})),
        signature   => base64(signature($card->{key}, $message, $form)),
        %more,
    });
}

sub made ($name, %option) { return leaf("$folder/$name", issuer => $issuing, %option) }

sub bound ($name, %option) {
    my $state = delete $option{state} // 'valid';
    my %certificate = made($name, %option);
    bind_row($portal, $certificate{cert}, $serial, state => $state);
    return %certificate;
}

sub sm2 ($name, %option) {
    my %certificate = leaf("$folder/$name", issuer => $sm2_ca, kind => 'sm2', %option);
    bind_row($portal, $certificate{cert}, $serial, issuer => 'sm2-1');
    return %certificate;
}

my %rsa = bound('rsa', kind => 'rsa');
my %sm2 = sm2('sm2');

subtest 'what is to be signed' => sub {
    my $challenge = challenge();
    like $challenge->{message}, qr/\A
        caportal\ challenge\ v1\n nonce:\ (\Q$challenge->{nonce}\E)\n origin:\ (\Q$main\E)\n
        expires:\ (\Q$challenge->{expires}\E)\n\z/x, 'names nonce, origin and end';
    like $challenge->{nonce}, qr/\A[\w-]{43}\z/, 'the nonce has 256 bits';
    isnt challenge()->{nonce}, $challenge->{nonce}, 'each is another';
    is challenge($portal->client('certificate'))->{origin}, $portal->addresses->{certificate},
        "each server's names itself";
    my ($life) = $portal->redis(TTL => "caportal:challenge:$challenge->{id}") =~ /(\d+)/;
    ok $life > 110 && $life <= 120, "it is kept for $life s";

    is_problem($portal->client->post('/api/challenges', {}, origin => 'https://evil.example',
        headers => {Host => 'evil.example'}), 403, 'bad_origin', 'none is made for a name that is not ours');
    is_problem($portal->client->post('/api/challenges', {colour => 'red'}), 422, 'invalid_fields', 'nothing is asked',
        {colour => 'unknown'});
};

subtest 'every kind of key' => sub {
    my @good = (
        ['P-256',              \%card, form => 'der'], ['P-256, r and s', \%card, form => 'raw'],
        ['RSA, PKCS #1 v1.5',  \%rsa,  form => 'der'], ['RSA, PSS',       \%rsa,  form => 'pss'],
        ['SM2',                \%sm2,  form => 'der'], ['SM2, r and s',   \%sm2,  form => 'raw'],
        ['by its number',      \%sm2,  certificate => undef, serial => uc serial_of($sm2{cert})],
        ['with zeros before',  \%card, certificate => undef, serial => '00' . serial_of($card{cert})],
    );
    for my $case (@good) {
        my ($name, $card, %more) = @$case;
        my $client = $portal->client;
        my $answer = sign_in(challenge(), $card, client => $client, %more);
        is $answer->code, 201, $name or diag $answer->body;
        is $client->get('/api/session')->json->{session}{method}, 'challenge', '  is a session';
    }
    is $portal->value(q{SELECT COUNT(*) FROM audit WHERE action = 'session.create' AND detail LIKE '%"challenge"%'}),
        scalar @good, 'each is recorded';
};

subtest 'what was signed' => sub {
    my $wrong = sub ($title, $change, $card = \%card) {
        my $challenge = challenge();
        is_problem(sign_in($challenge, $card, message => $change->($challenge->{message})), 401, 'bad_signature', $title);
    };
    my %other = made('other-key');
    $wrong->("a phishing page's origin", sub ($m) { $m =~ s/origin: .*/origin: https:\/\/evil.example/r });
    $wrong->('another nonce',   sub ($m) { $m =~ s/nonce: ./nonce: _/r });
    $wrong->('a later end',     sub ($m) { $m =~ s/expires: 2/expires: 3/r });
    $wrong->('other line ends', sub ($m) { $m =~ s/\n/\r\n/gr });
    $wrong->('one line end less', sub ($m) { $m =~ s/\n\z//r });
    $wrong->('nothing',         sub ($m) { '' });
    $wrong->('by another key',  sub ($m) { $m }, {%card, key => $other{key}});
    $wrong->('another challenge', sub ($m) { challenge()->{message} });

    my $challenge = challenge();
    my $unnamed = write_file("$folder/message", $challenge->{message});
    command(qw(openssl pkeyutl -sign -rawin -digest sm3 -inkey), $sm2{key}, '-in', $unnamed, '-out', "$folder/signature");
    is_problem(sign_in($challenge, \%sm2, signature => base64(read_file("$folder/signature"))), 401, 'bad_signature',
        "SM2 without the signer's id");
};

subtest 'once' => sub {
    my $challenge = challenge();
    my $signature = base64(signature($card{key}, $challenge->{message}));
    is sign_in($challenge, \%card, signature => $signature)->code, 201, 'signs in';
    is_problem(sign_in($challenge, \%card, signature => $signature), 401, 'bad_challenge', 'a second time');

    $challenge = challenge();
    is_problem(sign_in($challenge, \%card, message => 'x'), 401, 'bad_signature', "wrong, $_") for 1 .. 3;
    is_problem(sign_in($challenge, \%card), 401, 'bad_challenge', 'right, but too late');

    $challenge = challenge();
    is_problem(sign_in($challenge, \%card, message => 'x'), 401, 'bad_signature', "wrong, $_") for 1 .. 2;
    is sign_in($challenge, \%card)->code, 201, 'right at the third';

    $challenge = challenge();
    $portal->redis('PEXPIRE', "caportal:challenge:$challenge->{id}", 1);
    select undef, undef, undef, 0.01;
    is_problem(sign_in($challenge, \%card), 401, 'bad_challenge', 'expired');

    $challenge = challenge();
    is_problem(sign_in($challenge, \%card, client => $portal->client('certificate')), 401, 'bad_challenge',
        "at the other server");
    is_problem($portal->client->post('/api/sessions', {method => 'challenge', challenge => 'x' x 22, serial => 'ab',
        signature => 'AAAA'}), 401, 'bad_challenge', 'made up');

    $challenge = challenge();
    my %body = (method => 'challenge', challenge => $challenge->{id}, certificate => base64(der_of($card{cert})),
        signature => base64(signature($card{key}, $challenge->{message})));
    my %seen;
    $seen{ $_->code == 201 ? 201 : code_of($_) }++
        for at_once(map { [$portal->client, POST => '/api/sessions', json => \%body] } 1 .. 50);
    is_deeply \%seen, {201 => 1, bad_challenge => 49}, 'fifty at once: one signs in';
};

sub ext (%change) {
    my %all = (
        basicConstraints => 'critical,CA:FALSE', keyUsage => 'critical,digitalSignature,nonRepudiation',
        extendedKeyUsage => 'clientAuth', authorityKeyIdentifier => 'keyid', %change,
    );
    return ext => [map {"$_=$all{$_}"} grep { defined $all{$_} } sort keys %all];
}

# A modulus that anybody can factor, with somebody else's name on it: judged before any signature.
sub factorable () {
    my $n = '0x' . 'c' . '0' x 510 . '3';
    write_file("$folder/weak.conf", "asn1=SEQUENCE:k\n[k]\na=SEQUENCE:i\nb=BITWRAP,SEQUENCE:r\n[i]\no=OID:rsaEncryption\n"
        . "p=NULL\n[r]\nn=INTEGER:$n\ne=INTEGER:65537\n");
    command(qw(openssl asn1parse -noout -genconf), "$folder/weak.conf", '-out', "$folder/weak.der");
    command(qw(openssl pkey -pubin -inform DER -in), "$folder/weak.der", '-out', "$folder/weak.pub");
    return pubkey => "$folder/weak.pub";
}

# ASVS 12.1.3 for certificates that do not come over TLS.
subtest 'ASVS 12.1.3' => sub {
    my $foreign   = authority("$folder/foreign", '/C=CN/CN=Elsewhere');
    my $same_name = authority("$folder/same-name", '/C=CN/O=内蒙古CA/CN=内蒙古CA 签发（开发）');
    my %ec        = bound('ec');
    my ($reviewer) = grep { $_->{role} eq 'reviewer' } @{ $portal->addresses->{staff} };
    my @matrix = (
        ['expired',                     {bound('expired', from => -3, days => 1)},        'certificate_expired'],
        ['expired, SM2',                {sm2('sm2-expired', from => -3, days => 1)},      'certificate_expired'],
        ['not yet valid',               {bound('future', from => 2)},                     'certificate_not_yet_valid'],
        ['superseded',                  {bound('superseded', state => 'superseded')},     'certificate_superseded'],
        ['revoked',                     {bound('revoked', state => 'revoked')},           'certificate_revoked'],
        ['of nobody here',              {made('unbound')},                                'certificate_unbound'],
        ['of another authority',        {leaf("$folder/other", issuer => $foreign)},      'certificate_untrusted'],
        ['of an authority with our name', {leaf("$folder/impostor", issuer => $same_name)}, 'certificate_forged'],
        ['with a signature changed by a bit', {%ec, cert => tampered("$folder/tampered", $ec{cert})},
            'certificate_forged'],
        ['SM2, changed by a bit',       {%sm2, cert => tampered("$folder/tampered-sm2", $sm2{cert})},
            'certificate_forged'],
        ['signed by itself',            {leaf("$folder/self")},                           'certificate_self_signed'],
        ["issued by a holder's",        {leaf("$folder/grandchild", issuer => "$folder/ec")}, 'certificate_untrusted'],
        ['a member of staff\'s',        $reviewer,                                        'certificate_untrusted'],
        ['the root itself',             {cert => "$root.pem", key => "$root.key"},        'certificate_self_signed'],
        ['a CA below ours',             {made('ca', ext(basicConstraints => 'critical,CA:TRUE',
            keyUsage => 'critical,keyCertSign', extendedKeyUsage => undef))},             'certificate_is_ca'],
        ['for servers',                 {bound('server', ext(extendedKeyUsage => 'serverAuth'))}, 'certificate_purpose'],
        ['without extended key usage',  {bound('none', ext(extendedKeyUsage => undef))},  'certificate_purpose'],
        ['for encryption, SM2',         {sm2('encryption', ext(keyUsage => 'critical,keyEncipherment,keyAgreement'))},
            'certificate_encryption'],
        ['of a key that may not sign',  {bound('crl', ext(keyUsage => 'critical,nonRepudiation'))},
            'certificate_key_usage'],
        ['a critical extension',        {bound('critical', ext('1.3.6.1.4.1.55555.1' => 'critical,ASN1:NULL'))},
            'certificate_unsupported'],
        ['RSA-1024',                    {bound('rsa1024', kind => 'rsa1024')},            'certificate_weak'],
        ['exponent 3',                  {bound('exponent3', kind => 'exponent3')},        'certificate_weak'],
        ['a modulus with a small factor', {made('factor', kind => 'rsa', factorable())},  'certificate_weak'],
        ['P-192',                       {bound('p192', kind => 'p192')},                  'certificate_unsupported'],
        ['secp256k1',                   {bound('k1', kind => 'secp256k1')},               'certificate_unsupported'],
        ['foreign and expired',         {leaf("$folder/both", issuer => $foreign, from => -3, days => 1)},
            'certificate_untrusted'],
    );
    is_problem(sign_in(challenge(), $_->[1]), 401, $_->[2], $_->[0]) for @matrix;

    is_problem(sign_in(challenge(), \%ec, certificate => base64('nonsense')), 401, 'certificate_unsupported', 'no DER');
    is_problem(sign_in(challenge(), \%ec, certificate => undef, serial => 'abcdef'), 401, 'certificate_unbound',
        'the number of none');
    is_problem(sign_in(challenge(), {cert => "$folder/revoked.pem", key => $ec{key}}), 401, 'bad_signature',
        'who has not the key is not told of its state');
    is $portal->value(q{SELECT COUNT(*) FROM audit WHERE action = 'session.refuse' AND detail LIKE '%"challenge"%'}) > 26,
        1, 'each refusal is recorded';
};

subtest 'what is malformed' => sub {
    my %good = (method => 'challenge', challenge => 'x' x 22, certificate => 'AAAA', signature => 'AAAA');
    my @cases = (
        [{%good, certificate => undef},      {certificate => 'required'}],
        [{%good, serial => 'ab'},            {serial => 'not_sold'}],
        [{%good, certificate => 'A'},        {certificate => 'format'}],
        [{%good, certificate => "AAA\nA"},   {certificate => 'format'}],
        [{%good, signature => '!!!!'},       {signature => 'format'}],
        [{%good, challenge => 'x:y', signature => undef}, {challenge => 'format', signature => 'required'}],
        [{%good, certificate => undef, serial => 'xyz'}, {serial => 'format'}],
        [{%good, more => 1},                 {more => 'unknown'}],
    );
    is_problem($portal->client->post('/api/sessions', $_->[0]), 422, 'invalid_fields', join(' ', %{ $_->[1] }), $_->[1])
        for @cases;
};

# So many in a minute for one address; nothing else of it is refused.
subtest 'too many' => sub {
    $portal->redis(DEL => 'caportal:challenge-minute:127.0.0.1');
    my $client = $portal->client;
    my @codes  = map { $client->post('/api/challenges')->code } 1 .. 120;
    is scalar(grep { $_ == 201 } @codes), 120, 'a hundred and twenty';
    my $refused = $client->post('/api/challenges');
    is_problem($refused, 429, 'rate_limited', 'and no more');
    cmp_ok $refused->headers->header('Retry-After'), '<=', 60, 'within a minute';
};

settled($portal);
done_testing;
