use v5.36;
use utf8;
use warnings FATAL => 'all';

# Who may call what: every row of the table as every kind of caller, on an order of one's own and of another's. What is
# not granted is refused and changes nothing; what is granted is not refused.

use Caportal::Files qw(folder random_text read_file);
use Caportal::Sample qw(new_jpeg new_phone new_request);
use Caportal::Test;
use Caportal::Test::Form qw(file_part form form_type);
use Caportal::Test::Captcha qw(captcha);
use Caportal::Test::Edge qw(raw);
use Caportal::Test::Walk qw(operations path_of state_of is_unchanged is_problem code_of certificate_by);
use Mojo::JSON qw(decode_json);
use Test::More;

my @roles = qw(reviewer finance producer shipper auditor administrator);

my $portal   = Caportal::Test->start;
my $owner    = $portal->order_until('issued');
my $other    = $portal->order_until('draft');
$owner->step('download');
my @table    = @{ operations() };
my $voucher  = $owner->{payment};
my $jpeg     = new_jpeg();
my $csr      = new_request(folder($portal->home . '/request'));

my $second   = $portal->sign_in_again($owner);

my %names = (no => $owner->no, kind => 'licence', id => $owner->{payment}, serial => $owner->{serial}, hall => 'nmgca',
    issuer => 'p256-1', session => $second->get('/api/session')->json->{session}{id}, unit => $owner->{unit},
    account => $owner->applicant->get('/api/session')->json->{account}{id});

# A member of the owner's unit: an account's id.
sub member () {
    my $journey = $portal->journey(company => $owner->{company});
    $journey->step($_) for qw(registry sms_code sign_in person organization);
    return $journey->applicant->get('/api/session')->json->{account}{id};
}

sub invitation ($by, $phone) {
    return $by->applicant->post("/api/units/$by->{unit}/members", {phone => $phone})->json->{id};
}

sub join_request () {
    my $client = $portal->sign_in(person => 1);
    return $client->post('/api/units/requests', {map { $_ => $owner->{company}{$_} } qw(uscc name)})->json->{id};
}

# A scan that the owner has looked at.
sub scan () {
    my $id = $portal->client->post('/api/scans')->json->{id};
    is $owner->applicant->get("/api/scans/$id")->code, 200, 'looked at';
    return $id;
}

# Somebody has lost a number: what the applicant keeps, and what the desk calls it.
sub phone_change () {
    my (undef, $journey) = $portal->sign_in(person => 1);
    my $phone = new_phone();
    $portal->forget_limits;
    $portal->client->post('/api/sms-codes', {phone => $phone, purpose => 'lost_phone'});
    my $client = $portal->client;
    my ($code) = map { $_->{params}{code} } $portal->inbox($phone);
    my $token = $client->post('/api/phone-changes', {login => $journey->{phone}, phone => $phone, code => $code,
        name => $journey->{person}{name}, id_number => $journey->{person}{id_number}, reason => '遗失',
        captcha($client)})->json->{id};
    return ($token, $token =~ s/\..*//r);
}
my ($applied) = phone_change();
my $some = $portal->sign_in->get('/api/session')->json->{account}{id};

# What single operations are called on, where it is not the same for all.
my $successor = member();
my $third     = $portal->order_until('draft');
my %of = (
    getTemplate        => {kind => 'authorization'},
    removeMember       => {account => member()},
    withdrawInvitation => {invitation => invitation($owner, new_phone())},
    acceptInvitation   => {invitation => invitation($other, $owner->{phone})},
    refuseInvitation   => {invitation => invitation($third, $owner->{phone})},
    approveRequest     => {request => join_request()},
    refuseRequest      => {request => join_request()},
    getPhoneChange     => {change => $applied},
    getDeskPhoneChange => {change => $applied =~ s/\..*//r},
    approvePhoneChange => {change => (phone_change())[1]},
    rejectPhoneChange  => {change => (phone_change())[1]},
    disableAccount     => {account => $some},
    enableAccount      => {account => $some},
    map { $_ => {scan => scan()} } qw(getScan approveScan refuseScan),
);
my %nothing = (no => '1' x 22, id => 'nothing', serial => 'ab' x 16,
    map { $_ => 'nothing' } qw(session unit account invitation request change scan));

# Some operations want it.
sub prove_all () {
    $portal->prove($_->applicant) for $owner, $other, $third;
    return;
}
prove_all();

# A body that each operation would take.
my %body = (
    setPassword        => {password => 'Qd7-ziyu-88'},
    verifyPerson       => $owner->{person},
    verifyOrganization => {kind => 'enterprise', %{ $owner->{company} }},
    createOrder        => {service => 'new', project => 'procurement', product => 'usbkey-1y', unit => $owner->{unit}},
    editOrder          => {email => 'other@example.com'},
    acceptAgreement    => {map { $_ => $owner->{hall}{agreement}{$_} } qw(version sha256)},
    createPayment      => {method => 'transfer'},
    rejectOrder        => {reasons => [{field => 'email', code => 'wrong', text => '请更正'}]},
    confirmPayment     => {bank_reference => 'B1'},
    refusePayment      => {reason => '未到账'},
    refundOrder        => {reason => '重复付款'},
    concludeRefund     => {bank_reference => 'B2'},
    shipOrder          => {courier => 'SF', number => 'SF1'},
    revokeCertificate  => {reason => 'unspecified'},
    revokeOwnCertificate => {reason => 'unspecified'},
    switchUnit         => {unit => undef},
    inviteMember       => {phone => new_phone()},
    handOverUnit       => {account => $successor},
    askToJoin          => {map { $_ => $third->{company}{$_} } qw(uscc name)},
    rejectPhoneChange  => {reason => '信息不符'},
    disableAccount     => {reason => '账号被盗用'},
    enableAccount      => {reason => '已核实'},
    findAccount        => {login => $owner->{phone}},
    setEmail           => {email => 'owner@example.com'},
    setUserName        => {user_name => 'owner.name'},
    setCompany         => {unit => $owner->{unit}},
    setSignInWays      => {ways => [qw(sms password certificate)]},
    appointAdministrator => {account => $owner->applicant->get('/api/session')->json->{account}{id}, reason => '遗失'},
);

sub call ($client, $row, %option) {
    my %values = (%names, %{ $of{ $row->{id} } // {} }, %{ delete $option{names} // {} });
    my %sent = $row->{body} eq 'upload' ? (body => $jpeg, type => 'image/jpeg')
        : $row->{body} eq 'form' ? (body => form(file_part($jpeg, 'image/jpeg', 'scan.jpg')), type => form_type())
        : $row->{body} eq 'raw'         ? (body => $csr,  type => 'application/pkcs10')
        : $row->{body} eq 'json'        ? (json => $body{ $row->{id} } // {})
        :                                 ();
    $sent{key} = random_text(16) if $row->{body} eq 'json';
    return $client->request($row->{method}, path_of($row->{path}, \%values), %sent, %option);
}

sub is_for ($row, $caller) { return scalar grep { $_ eq $caller } @{ $row->{callers} } }
sub of_staff ($row)        { return $row->{path} =~ m{\A/staff/} }
sub as ($journey)          { return (headers => {Cookie => '__Host-caportal=' . $journey->applicant->cookie}) }

# All rows that a condition holds for, each called; what did not come as expected.
sub walk ($title, $which, $client, $expected, %option) {
    my $before = state_of($portal);
    my @wrong;
    my $count = 0;

    for my $row (grep { $which->($_) } @table) {
        my $answer = call($client, $row, %option);
        my $want   = ref $expected ? $expected->($row) : $expected;
        my $got    = $answer->code . ' ' . code_of($answer);
        push @wrong, "$row->{id}: $got, not $want" if $got ne $want;
        $count++;
    }
    is_deeply \@wrong, [], "$title: refused by $count operations";
    is_unchanged($portal, $before, '... and nothing changed');
    return;
}

my $account_only = sub ($row) { is_for($row, 'account') };
my $named_order  = sub ($row) { is_for($row, 'account') && $row->{path} =~ /\{/ };
my $desk         = sub ($row) { of_staff($row) };
my $desk_named   = sub ($row) { of_staff($row) && $row->{path} =~ /\{/ };
my $at_desk      = $portal->client('certificate');

subtest 'nobody' => sub {
    walk('without a session', $account_only, $portal->client, '401 unauthenticated');
    walk('without a session, at the server for certificates', $account_only, $at_desk, '401 unauthenticated');
    walk('without a certificate', $desk, $at_desk, '401 certificate_missing');
    # nginx looks for files there, which it only reads.
    walk('the desk at the public server', $desk, $portal->client,
        sub ($row) { $row->{method} eq 'DELETE' ? '405 405' : '404 404' });
};

subtest 'an account' => sub {
    walk("another's order", $named_order, $other->applicant, '404 not_found');
    walk("another's order, with a certificate of staff", $named_order, $portal->staff('reviewer'), '404 not_found',
        as($other));
    walk('the desk, with a session', $desk, $at_desk, '401 certificate_missing', as($owner));
    walk('no such order', $named_order, $owner->applicant, '404 not_found',
        names => \%nothing);

    my $before = state_of($portal);
    my $mine   = $other->no;
    is_problem($other->applicant->get("/api/orders/$mine/payments/$voucher"), 404, 'not_found',
        "another's payment below an order of one's own");
    is_problem($other->applicant->put("/api/orders/$mine/payments/$voucher/voucher", $jpeg, 'image/jpeg'), 404,
        'not_found', 'and a voucher for it');
    is_problem($other->applicant->post('/api/orders', $body{createOrder}), 422, 'invalid_fields',
        "an order for another's unit", {unit => 'choice'});
    is_unchanged($portal, $before, 'nothing changed');

    my ($no, $serial) = ($owner->no, $owner->{serial});
    unlike $other->applicant->get($_)->body, qr/$no|$serial|$owner->{unit}/, "$_ holds nothing of another's"
        for qw(/api/orders /api/certificates /api/units /api/session);
};

subtest 'staff' => sub {
    for my $role (@roles) {
        walk("as $role", sub ($row) { of_staff($row) && !is_for($row, $role) }, $portal->staff($role), '403 forbidden');
        walk("an applicant's call as $role", $account_only, $portal->staff($role), '401 unauthenticated');
        walk("no such thing, as $role", sub ($row) { $desk_named->($row) && is_for($row, $role) },
            $portal->staff($role), '404 not_found', names => \%nothing);
    }
};

sub add_staff (%given) {
    my %certificate = certificate_by($portal, 'staff-ca');
    my $id = $portal->ctl('staff', 'add', '--name', $given{name}, '--roles', $given{roles}, '--certificate',
        $certificate{cert});
    chomp $id;
    return ($id, $portal->client('certificate', %certificate));
}

subtest 'certificates of nobody, of former staff, of applicants' => sub {
    walk('a certificate that nobody was given', $desk,
        $portal->client('certificate', certificate_by($portal, 'staff-ca')),
        '401 certificate_unbound');
    walk("an applicant's certificate", $desk,
        $portal->client('certificate', cert => $owner->{certificate}, key => "$owner->{folder}/holder.key"),
        '401 certificate_unbound');

    my ($id, $client) = add_staff(name => '离职', roles => join ',', @roles);
    is $client->get('/staff/api/session')->code, 200, 'a member of staff';
    $portal->ctl('staff', 'disable', $id);
    walk('disabled a moment ago', $desk, $client, '401 certificate_disabled');

    ($id, $client) = add_staff(name => '调岗', roles => join ',', @roles);
    is call($client, $_)->code, 200, "$_->{id}, with all roles"
        for grep { $_->{id} =~ /\A(?:listAudit|listPayments)\z/ } @table;
    $portal->ctl('staff', 'roles', $id, '--roles', 'shipper');
    walk('all roles but one taken a moment ago', sub ($row) { of_staff($row) && !is_for($row, 'shipper') }, $client,
        '403 forbidden');
};

subtest 'Origin' => sub {
    my ($base, $desk_base) = @{ $portal->addresses }{qw(portal certificate)};
    my $changes = sub ($row) { $row->{method} ne 'GET' && !of_staff($row) };
    my $desk_of = sub ($role) {
        sub ($row) { $row->{method} ne 'GET' && of_staff($row) && is_for($row, $role) }
    };

    for my $origin (undef, 'null', 'https://evil.example', "$base.evil.example", "${base}0", $base =~ s/^https/http/r,
        "$base/", $base =~ s{//}{//a@}r, '')
    {
        my $shown = defined $origin ? "\"$origin\"" : 'none';
        walk("Origin $shown", $changes, $owner->applicant, '403 bad_origin', origin => $origin);
    }
    # What a browser says of the page itself; the own origin with it is not to be believed.
    for my $site ('cross-site', 'same-site', 'Same-Origin', 'same-origin, cross-site', 'x', '') {
        walk("Sec-Fetch-Site \"$site\"", $changes, $owner->applicant, '403 bad_origin',
            headers => {'Sec-Fetch-Site' => $site});
    }
    walk("Sec-Fetch-Site cross-site, as $_", $desk_of->($_), $portal->staff($_), '403 bad_origin',
        headers => {'Sec-Fetch-Site' => 'cross-site'})
        for grep { $_ ne 'auditor' } @roles;
    for my $row (['same-origin', $base], ['none', $base], ['same-site', $desk_base], ['cross-site', $desk_base]) {
        my ($site, $origin) = @$row;
        is_problem($owner->applicant->delete('/api/sessions/nothing', origin => $origin,
            headers => {'Sec-Fetch-Site' => $site}), 404, 'not_found', "$site, from " . ($origin eq $base ? 'here' : 'a listed one'));
        is $owner->applicant->get('/api/session', headers => {'Sec-Fetch-Site' => $site})->code, 200,
            "$site: looking is free";
    }

    walk("Origin of another, as $_", $desk_of->($_), $portal->staff($_), '403 bad_origin',
        origin => 'https://evil.example')
        for grep { $_ ne 'auditor' } @roles;
};

subtest 'cookies' => sub {
    my $token  = $owner->applicant->cookie;
    my $forged = random_text(32);
    my $cookie = sub ($text) { (headers => {Cookie => $text}) };
    my $name   = '__Host-caportal';

    my %bad = (
        'made up'            => "$name=" . substr($forged, 0, 43),
        'cut'                => "$name=" . substr($token, 0, 42),
        'cut to nothing'     => "$name=",
        'one character more' => "$name=${token}A",
        'one character else' => "$name=" . substr($token, 0, 42) . (substr($token, 42) eq 'A' ? 'B' : 'A'),
        'twice in one'       => "$name=$token$token",
        'twice'              => "$name=$token; $name=" . substr($forged, 0, 43),
        'twice, good second' => "$name=" . substr($forged, 0, 43) . "; $name=$token",
        'quoted'             => "$name=\"$token\"",
        'of another name'    => "caportal=$token",
        'with a wildcard'    => "$name=" . '*' x 43,
        'with a line break'  => "$name=%0d%0a" . substr($token, 6),
    );
    for my $how (sort keys %bad) {
        walk("a cookie $how", sub ($row) { $row->{id} =~ /\A(?:getSession|getOrder|editOrder)\z/ }, $portal->client,
            '401 unauthenticated', $cookie->($bad{$how}));
    }

    my $connection = raw($portal);
    my $twice = $connection->head(GET => '/api/session', Cookie => "$name=$token\r\nCookie: $name=$token");
    is $connection->ask($twice)->{status}, 401, 'two headers with a cookie';

    my $mine = $portal->client->request(GET => '/api/session', $cookie->("$name=$token"))->json->{account}{id};
    my $its  = $portal->client->request(GET => '/api/session', as($other))->json->{account}{id};
    ok $mine && $its && $mine ne $its, "each cookie is its own account's, whoever sends it";
};

subtest 'headers that only a proxy could be trusted with' => sub {
    my $pem = join '%0A', split /\n/, read_file($portal->addresses->{staff}[0]{cert});
    my @says = (
        'X-SSL-Client-Verify' => 'SUCCESS', 'X-SSL-Client-Cert' => $pem, 'X-SSL-Client-S-DN' => 'CN=审核员甲',
        'SSL-Client-Cert' => $pem, 'X-Client-Cert' => $pem, 'X-Account' => '1', 'X-Staff-Roles' => '63',
        'X-Forwarded-For' => '203.0.113.9', 'X-Real-IP' => '203.0.113.9', Forwarded => 'for=203.0.113.9',
    );
    my %headers = map { utf8::encode(my $value = $_); $value } @says;

    walk('a certificate in a header', $desk, $at_desk, '401 certificate_missing', headers => \%headers);
    walk('and an account', $account_only, $portal->client, '401 unauthenticated', headers => \%headers);

    is $owner->applicant->request(PATCH => '/api/orders/' . $other->no, json => {}, headers => \%headers)->code, 404,
        'an address in a header';
    is $other->applicant->request(PATCH => '/api/orders/' . $other->no, json => {}, headers => \%headers)->code, 200,
        'on an order of one\'s own';
    is $portal->value('SELECT COUNT(*) FROM audit WHERE address NOT LIKE "127.0.0.1"'), 0, 'is never recorded';
};

subtest 'methods' => sub {
    my %known;
    push @{ $known{ path_of($_->{path}, \%names) } }, $_->{method} for grep { !of_staff($_) } @table;
    my (@wrong, @silent);

    for my $path (sort keys %known) {
        for my $method (grep { my $m = $_; !grep { $_ eq $m } @{ $known{$path} } } qw(GET POST PUT PATCH DELETE)) {
            my $answer = $owner->applicant->request($method, $path);
            push @wrong,  "$method $path: " . $answer->code if $answer->code != 405;
            push @silent, "$method $path" if join(',', sort split /, /, $answer->headers->header('Allow') // '')
                ne join ',', sort @{ $known{$path} };
        }
    }
    is_deeply \@wrong,  [], 'what a path does not have is 405';
    is_deeply \@silent, [], 'and Allow says what it has';
};

# Last, for it uses the order up: nobody who was granted a call is told that he may not, or that it is not there.
subtest 'what is granted' => sub {
    my @refused;
    my $count  = 0;
    my %last   = (handOverUnit => 1, appointAdministrator => 2, endSession => 3, endSessions => 4);

    for my $row (sort { ($last{ $a->{id} } // 0) <=> ($last{ $b->{id} } // 0) } @table) {
        for my $caller (@{ $row->{callers} }) {
            next if $caller eq 'public' && $row->{method} ne 'GET';
            my $client = $caller eq 'account' ? $owner->applicant : $caller eq 'public' ? $portal->client
                : $portal->staff($caller);
            my $answer = call($client, $row);
            push @refused, "$row->{id} as $caller: " . Caportal::Client->describe($answer)
                if $answer->code =~ /\A(?:401|403|404|5..)\z/;
            $count++;
        }
        last if $row->{id} eq 'endSession';
    }
    is_deeply \@refused, [], "$count calls";
    is $portal->value('SELECT state FROM certificate_order WHERE no = ?', $owner->no), 'completed',
        'which had their effect';
};

subtest 'a session that has ended' => sub {
    my %session = as($other);
    is $portal->client->request(DELETE => '/api/sessions', %session)->code, 204, 'everywhere';
    walk('its cookie', $account_only, $portal->client, '401 unauthenticated', %session);
};

done_testing;
