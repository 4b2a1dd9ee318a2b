use v5.36;
use utf8;
use warnings FATAL => 'all';

# ASVS 12.1.3: a client certificate's chain, signature, dates, revocation and uses are checked before anybody is taken
# for its holder. Wrong certificates of every kind, over real TLS: each is refused with a code of its own, whose text
# says what to do.

use Caportal::Files qw(command folder read_file write_file);
use Caportal::Test;
use Caportal::Test::Curl qw(curl);
use Caportal::Test::Edge qw(settled);
use Caportal::Test::Leaf qw(leaf authority bind_row serial_of tampered);
use Mojo::Util qw(decode);
use Test::More;

# Of a signature that does not verify the handshake leaves an error behind, of which the server writes.
my $portal = Caportal::Test->start(
    allow => qr/ignoring stale global SSL error \(SSL: error:06880006:asn1 encoding routines::EVP lib\)/);
my $ca     = $portal->stack->{authority};
my $folder = folder($portal->home . '/certificates', 0700);
my $base   = $portal->addresses->{certificate};
my ($issuing, $root, $staff_ca) = map { $ca->file($_) =~ s/\.pem\z//r } qw(issuing.pem root.pem staff-ca.pem);

# A client that sends whatever it has, weak or not: what is refused is refused by the server.
my $careless = write_file("$folder/openssl.cnf",
    "openssl_conf = all\n[all]\nssl_conf = ssl\n[ssl]\nsystem_default = tls\n[tls]\nCipherString = DEFAULT\@SECLEVEL=0\n");

sub ask ($method, $path, %option) {
    local $ENV{OPENSSL_CONF} = $careless;
    return curl("$base$path", folder => $folder, ca => $portal->addresses->{server_ca}, method => $method, %option,
        words => [$option{tls} ? ('--tls-max', $option{tls}) : ()],
        headers => ["Origin: $base", @{ $option{headers} // [] }]);
}

sub sign_in (%option) { return ask(POST => '/api/sessions', %option, json => {method => 'certificate'}) }

# "201", the code of a problem, or "handshake" where the server breaks off before there is any HTTP.
sub said ($answer) {
    return $answer->{json}{code} // $answer->{status} || 'handshake';
}

sub made ($name, %option) { return leaf("$folder/$name", issuer => $issuing, %option) }

sub ext (%change) {
    my %all = (
        basicConstraints => 'critical,CA:FALSE', keyUsage => 'critical,digitalSignature,nonRepudiation',
        extendedKeyUsage => 'clientAuth', authorityKeyIdentifier => 'keyid', %change,
    );
    return ext => [map {"$_=$all{$_}"} grep { defined $all{$_} } sort keys %all];
}

my $journey = $portal->order_until('issued');
$journey->step('download');
my $serial = $journey->{serial};
my $holder = $portal->rows('SELECT account_id, unit_id FROM certificate WHERE serial = ?', $serial)->[0];

# A certificate of that holder's, with its row.
sub bound ($name, %option) {
    my $state = delete $option{state};
    my %certificate = made($name, %option);
    bind_row($portal, $certificate{cert}, $serial, state => $state // 'valid');
    return %certificate;
}

sub staff ($name, %option) {
    my %certificate = leaf("$folder/$name", issuer => $staff_ca, %option);
    my $id = $portal->ctl(qw(staff add --roles reviewer --name), $name, '--certificate', $certificate{cert});
    chomp $id;
    return ($id, %certificate);
}

sub by_a_leaf () {
    my %leaf = made('no-authority');
    my %certificate = leaf("$folder/grandchild", issuer => "$folder/no-authority");
    write_file("$folder/grandchild-chain.pem", join '', map { read_file($_) } $certificate{cert}, $leaf{cert});
    return (%certificate, cert => "$folder/grandchild-chain.pem");
}

my %good      = (cert => $journey->{certificate}, key => "$journey->{folder}/holder.key");
my %bound_rsa = bound('rsa', kind => 'rsa');
my %bound_ec  = bound('ec');
my $foreign   = authority("$folder/foreign", '/C=CN/CN=Elsewhere');
my $same_name = authority("$folder/same-name", '/C=CN/O=内蒙古CA/CN=内蒙古CA 签发（开发）');
my ($fired, %fired) = staff('离职');
$portal->ctl(qw(staff disable), $fired);
my (undef, %revoked_staff) = staff('吊销');
bind_row($portal, $revoked_staff{cert}, $serial, state => 'revoked');
my (undef, %larger) = staff('larger', kind => 'p384');

# name, certificate, what a sign-in says; the same of the staff's desk, where it is another
my @matrix = (
    ['issued by the signer',               \%good,                        201, 'certificate_unbound'],
    ['of the same holder, RSA',            \%bound_rsa,                   201, 'certificate_unbound'],
    ['of a member of staff, P-384',        \%larger,                      201, 200],

    ['expired',                            {made('expired', from => -3, days => 1)},          'certificate_expired'],
    ['expired, with a row',                {bound('bound-expired', from => -3, days => 1)},   'certificate_expired'],
    ['not yet valid',                      {made('future', from => 2)},                   'certificate_not_yet_valid'],
    ['superseded by a reissue',            {bound('superseded', state => 'superseded')}, 'certificate_superseded',
        'certificate_unbound'],
    ['revoked',                            {bound('revoked', state => 'revoked')},        'certificate_revoked',
        'certificate_unbound'],
    ['of another authority',               {leaf("$folder/other", issuer => $foreign)},   'certificate_untrusted'],
    ['of an authority with our name',      {leaf("$folder/impostor", issuer => $same_name)}, 'certificate_forged'],
    ['the same, without a key identifier', {leaf("$folder/impostor2", issuer => $same_name,
        ext(authorityKeyIdentifier => undef))},                                           'certificate_forged'],
    ['with a signature changed by a bit',  {%bound_ec, cert => tampered("$folder/tampered", $bound_ec{cert})},
        'certificate_forged'],
    ['signed by itself',                   {leaf("$folder/self", ext(authorityKeyIdentifier => undef))},
        'certificate_self_signed'],
    ["issued by a holder's certificate",   {by_a_leaf()},                                 'certificate_untrusted'],
    ['our authority itself',               {map { $_->[0] => "$issuing.$_->[1]" } [cert => 'pem'], [key => 'key']},
        'certificate_is_ca'],
    ['our root itself',                    {map { $_->[0] => "$root.$_->[1]" } [cert => 'pem'], [key => 'key']},
        'certificate_is_ca'],
    ['for servers only',                   {bound('server', ext(extendedKeyUsage => 'serverAuth'))},
        'certificate_purpose'],
    ['without extended key usage',         {bound('no-eku', ext(extendedKeyUsage => undef))}, 'certificate_purpose'],
    ['of a key that may not sign',         {bound('crl-sign', ext(keyUsage => 'critical,nonRepudiation'))},
        'certificate_key_usage'],
    ['for encryption only',                {bound('encryption', kind => 'rsa',
        ext(keyUsage => 'critical,keyEncipherment,dataEncipherment'))},                   'certificate_encryption'],
    ['with a critical extension unknown here', {bound('critical', ext('1.3.6.1.4.1.55555.1' => 'critical,ASN1:NULL'))},
        'certificate_unsupported'],
    ['of RSA with 1024 bits',              {bound('rsa1024', kind => 'rsa1024')},         'certificate_weak'],
    ['of RSA with the exponent 3',         {bound('exponent3', kind => 'exponent3')},     'certificate_weak'],
    ['signed with SHA-1',                  {bound('sha1', digest => 'sha1')},             'certificate_weak'],
    ['of nobody here',                     {made('unbound')},                             'certificate_unbound'],
    ['of nobody on the staff',             {leaf("$folder/nobody", issuer => $staff_ca)}, 'certificate_unbound'],
    ['of a member of staff who left',      \%fired,                                       'certificate_disabled'],
    ["of a member of staff, revoked",      \%revoked_staff,                               'certificate_revoked'],
    ['of Ed25519',                         {bound('ed25519', kind => 'ed25519')},         'certificate_unsupported'],
    # The server breaks off the handshake of TLS 1.2; 1.3 has no signature for these curves, so that nothing is shown.
    ['on P-192',      {bound('p192', kind => 'p192')},           {'1.2' => 'handshake', '1.3' => 'certificate_missing'}],
    ['on secp256k1',  {bound('secp256k1', kind => 'secp256k1')}, {'1.2' => 'handshake', '1.3' => 'certificate_missing'}],

    ['foreign and expired',                {leaf("$folder/both", issuer => $foreign, from => -3, days => 1)},
        'certificate_untrusted'],
    ['signed by itself and expired',       {leaf("$folder/self-old", from => -3, days => 1)}, 'certificate_self_signed'],
    ['revoked and expired',                {bound('gone', state => 'revoked', from => -3, days => 1)},
        'certificate_revoked', 'certificate_expired'],
    ['superseded and expired',             {bound('old', state => 'superseded', from => -3, days => 1)},
        'certificate_superseded', 'certificate_expired'],
    ['for servers, expired, of nobody',    {made('three', from => -3, days => 1, ext(extendedKeyUsage => 'serverAuth'))},
        'certificate_purpose'],
);

subtest 'ASVS 12.1.3' => sub {
    my ($sessions, $refused) = (0, 0);
    for my $case (@matrix) {
        my ($name, $certificate, $code, $desk) = @$case;
        for my $tls (qw(1.2 1.3)) {
            my $expected = ref $code ? $code->{$tls} : $code;
            my $answer = sign_in(%$certificate, tls => $tls);
            is said($answer), $expected, "$name: TLS $tls";
            is said(ask(GET => '/staff/api/session', %$certificate, tls => $tls)), $desk // $expected,
                "$name: TLS $tls, the staff's desk";

            my $cookies = grep {/caportal/} @{ $answer->{headers}{'set-cookie'} // [] };
            $sessions += $cookies;
            $refused++ if $answer->{status} == 401;
            is $answer->{status}, 401, "$name: 401" if $expected =~ /certificate_/;
        }
    }
    is $sessions, 4, 'the good ones alone began sessions';
    is $portal->value(q{SELECT COUNT(*) FROM audit WHERE action = 'session.refuse'}), $refused, 'each refusal is recorded';
    is $portal->value(q{SELECT COUNT(*) FROM audit WHERE action = 'session.create' AND detail LIKE '%"certificate"%'}), 4,
        'and each sign-in';
};

subtest 'each code says what to do' => sub {
    my (%zh, %en);
    for my $case (grep { !ref $_->[2] && $_->[2] =~ /certificate_/ } @matrix) {
        my ($name, $certificate, $code) = @$case;
        next if $zh{$code};
        $zh{$code} = sign_in(%$certificate)->{json}{detail};
        $en{$code} = sign_in(%$certificate, headers => ['Accept-Language: en'])->{json}{detail};
        like $zh{$code}, qr/请/, "$code in Chinese";
        like $en{$code}, qr/\A[A-Z].*: [a-z]|sign in|choose|contact|apply/, "$code in English";
    }
    cmp_ok keys %zh, '>=', 14, keys(%zh) . ' codes';
    for my $texts (\%zh, \%en) {
        my %seen = reverse %$texts;
        is keys %seen, keys %$texts, 'no text stands for two of them';
    }
};

# What stands in the CRL, and how old that is, does not matter: the row does.
subtest 'revoked minutes ago' => sub {
    my %late = bound('late');
    is said(sign_in(%late)), 201, 'signs in';
    my $newest = 'SELECT MAX(this_update) FROM crl';
    $portal->process('signer')->stop;
    my $before = $portal->value($newest);

    is $portal->staff('administrator')->post('/staff/api/certificates/' . serial_of($late{cert}) . '/revoke',
        {reason => 'key_compromise'}, key => 'revoke-in-the-matrix')->code, 200, 'revoked';
    is $portal->value($newest), $before, 'no CRL says so yet';
    is said(sign_in(%late)), 'certificate_revoked', 'and is refused at once';
    $portal->change('UPDATE certificate SET revoked_at = revoked_at - 300000 WHERE serial = ?', serial_of($late{cert}));
    is said(sign_in(%late)), 'certificate_revoked', 'as minutes later';
    $portal->restart('signer');
};

subtest 'the holder' => sub {
    my $set = sub ($state) { $portal->change('UPDATE account SET state = ? WHERE id = ?', $state, $holder->{account_id}) };
    $set->('disabled');
    is said(sign_in(%good)), 'certificate_disabled', 'has an account that was disabled';
    $set->('active');

    my ($unit, $account) = @$holder{qw(unit_id account_id)};
    my $member = $portal->rows('SELECT role, created_at FROM unit_member WHERE unit_id = ? AND account_id = ?', $unit,
        $account)->[0];
    $portal->change('DELETE FROM unit_member WHERE unit_id = ? AND account_id = ?', $unit, $account);
    is said(sign_in(%good)), 'certificate_not_member', "does not act for the certificate's unit any more";
    $portal->change('INSERT INTO unit_member (unit_id, account_id, role, created_at) VALUES (?, ?, ?, ?)', $unit,
        $account, @$member{qw(role created_at)});
    is said(sign_in(%good)), 201, 'and is let in when all is well';
};

# What a person sees whose browser goes to a page: nginx refuses with 495, the portal says why.
subtest 'in a browser' => sub {
    my @browser = ('Accept: text/html,application/xhtml+xml,*/*;q=0.8');
    my %bad = (
        certificate_expired => 'expired', certificate_untrusted => 'other', certificate_forged => 'impostor',
        certificate_purpose => 'server',  certificate_encryption => 'encryption',
    );
    for my $code (sort keys %bad) {
        my %certificate = (cert => "$folder/$bad{$code}.pem", key => "$folder/$bad{$code}.key");
        for my $path (qw(/ /sign-in /documents/a.pdf)) {
            my $answer = ask(GET => $path, %certificate, headers => \@browser);
            is $answer->{status}, 401, "$code: $path";
            like $answer->{headers}{'content-type'}[0], qr{\Atext/html; charset=utf-8\z}i, '  HTML';
            like $answer->{body}, qr/<html lang="zh-CN">.*<h1>[^<]+<\/h1>.*$code/s, '  says which';
            unlike $answer->{body}, qr/nginx/, '  in our words';
        }
    }
    my $en = ask(GET => '/', cert => "$folder/expired.pem", key => "$folder/expired.key",
        headers => [@browser, 'Accept-Language: en-US,zh;q=0.5']);
    like $en->{body}, qr/<html lang="en">.*apply for a renewal.*close all windows/s, 'in English';
    is said(ask(GET => '/', cert => "$folder/expired.pem", key => "$folder/expired.key")), 'not_found',
        'a program is told of its path';
    is said(ask(GET => '/api/session', cert => "$folder/expired.pem", key => "$folder/expired.key")),
        'unauthenticated', 'as ever';
    my $session = ask(GET => '/api/session', headers => \@browser);
    like decode('UTF-8', $session->{body}), qr/<h1>请先登录<\/h1>/, 'other problems are pages as well';
    is $session->{status}, 401, 'with their status';
};

settled($portal);
done_testing;
