use v5.36;
use utf8;
use warnings FATAL => 'all';

# Bad input for every operation that takes JSON, for lists and for idempotency keys: the right status, all that is wrong
# named at once, and nothing changed.

use Caportal::Sample qw(new_company id_number);
use Caportal::Test;
use Caportal::Test::Walk qw(operations path_of state_of is_unchanged is_problem at_once);
use Mojo::JSON qw(encode_json);
use Test::More;

my $portal = Caportal::Test->start;
my $draft  = $portal->order_until('draft');
my $sent   = $portal->order_until('approved', key => 'station');
my %row    = map { $_->{id} => $_ } @{ operations() };
my @json   = grep { $row{$_}{body} eq 'json' } sort keys %row;

$sent->step('payment');
my %names = (no => $sent->no, id => $sent->{payment}, serial => 'ab' x 16,
    map { $_ => 'nothing' } qw(unit invitation request scan));
$portal->prove($sent->applicant);

# The operation by who may call it, on an order where there is one to be had.
sub ask ($id, $body, %option) {
    my $row    = $row{$id};
    my $staff  = $row->{callers}[0] =~ /public|account/ ? undef : $row->{callers}[0];
    my $client = $staff ? $portal->staff($staff) : $id eq 'editOrder' ? $draft->applicant : $sent->applicant;
    my $path   = path_of($row->{path}, {%names, $id eq 'editOrder' ? (no => $draft->no) : ()});
    return $client->request($row->{method}, $path, body => ref $body ? encode_json($body) : $body,
        type => 'application/json', %option);
}

my %broken = (
    'cut off'             => '{"a":',
    'a comma too many'    => '{"a":1,}',
    'an array'            => '[]',
    'a string'            => '"a"',
    'a number'            => '42',
    'null'                => 'null',
    'a name twice'        => '{"a":1,"a":1}',
    'a name twice inside' => '{"a":{"b":1,"b":2}}',
    'no UTF-8'            => "{\"a\":\"\xff\"}",
    'overlong UTF-8'      => "{\"a\":\"\xc0\xaf\"}",
    'a surrogate in UTF-8' => "{\"a\":\"\xed\xa0\x80\"}",
    'half a pair'         => '{"a":"\ud800"}',
    'the other half'      => '{"a":"\udc00 "}',
    'a zero, escaped'     => '{"a":"\u0000"}',
    'a zero'              => "{\"a\":\"\0\"}",
    'a zero in a name'    => '{"a\u0000":1}',
    'a line break'        => "{\"a\":\"\n\"}",
    'beyond integers'     => '{"a":99999999999999999999}',
    'beyond numbers'      => '{"a":1e999}',
    'not a number'        => '{"a":NaN}',
    'deeper than 16'      => '{"a":' x 17 . '1' . '}' x 17,
    'very deep'           => '[' x 20_000,
    'deep and never closed' => '{"a":' x 5000,
    'two values'          => '{} {}',
    'a byte order mark'   => "\xef\xbb\xbf{}",
    'a form'              => 'a=1&b=2',
    'spaces only'         => '   ',
);

for my $id (@json) {
    subtest $id => sub {
        my $before = state_of($portal);
        my @wrong = grep {defined} map {
            my $answer = ask($id, $broken{$_});
            $answer->code == 400 && $answer->json->{code} eq 'malformed_body' ? undef
                : "$_: " . Caportal::Client->describe($answer)
        } sort keys %broken;
        is_deeply \@wrong, [], 'what is no JSON object';

        is_problem(ask($id, '{}', type => $_), 415, 'unsupported_media_type', "Content-Type $_")
            for 'text/plain', 'application/x-www-form-urlencoded', 'application/jsonx';
        is_problem(ask($id, '{}', type => undef, headers => {'Content-Type' => undef}), 415, 'unsupported_media_type',
            'no Content-Type');
        is_problem(ask($id, '{"a":"' . 'x' x 33_000 . '"}'), 413, 'too_large', 'too long');

        my $answer = ask($id, {$id =~ /createSession|proveSession/ ? (method => 'sms') : (), bogus => 1, '名' => {}});
        my %bad = map { $_->{name} => $_->{code} } @{ $answer->json->{fields} // [] };
        is_deeply [$answer->code, @bad{qw(bogus 名)}], [422, 'unknown', 'unknown'], 'unknown fields, by name'
            or diag Caportal::Client->describe($answer);
        is_unchanged($portal, $before, 'nothing changed');
    };
}

# ---- fields: operation, body, what is wrong with each

my $long   = '长' x 500;
my $wrong  = sub ($number) { substr($number, 0, 17) . (substr($number, 17) eq '1' ? '2' : '1') };
my %person = (name => '王建国', id_number => id_number(), mobile => '13800138000');

my @fields = (
    [createSession => {}, {method => 'required'}],
    [createSession => {method => ['sms']}, {method => 'type'}],
    [createSession => {method => 'magic'}, {method => 'choice'}],
    [createSession => {method => 'sms', phone => '12345', code => 123456}, {phone => 'format', code => 'type'}],
    [createSession => {method => 'password', login => '', password => {}}, {login => 'required', password => 'type'}],
    [createSession => {method => 'certificate', phone => '13800138000'}, {phone => 'unknown'}],
    [sendSmsCode   => {}, {phone => 'required', purpose => 'required'}],
    [sendSmsCode   => {phone => 13800138000, purpose => 'spam'}, {phone => 'type', purpose => 'choice'}],
    [sendSmsCode   => {phone => '+8613800138000', purpose => 'login'}, {phone => 'format'}],
    [sendSmsCode   => {phone => "13800138000\n", purpose => 'login'}, {phone => 'format'}],
    [sendSmsCode   => {phone => '１３８００１３８０００', purpose => 'login'}, {phone => 'format'}],
    [setPassword   => {}, {password => 'required'}],
    [setPassword   => {password => 12345678}, {password => 'type'}],
    [setPassword   => {password => 'x' x 1000}, {password => 'too_long'}],
    [verifyPerson  => {}, {name => 'required', id_number => 'required', mobile => 'required'}],
    [verifyPerson  => {name => undef, id_number => 1, mobile => 1.5},
        {name => 'required', id_number => 'type', mobile => 'type'}],
    [verifyPerson  => {%person, id_number => $wrong->($person{id_number})}, {id_number => 'check_digit'}],
    [verifyPerson  => {%person, id_number => '15010219900230123X'}, {id_number => 'range'}],
    [verifyPerson  => {%person, name => $long}, {name => 'too_long'}],
    [verifyPerson  => {%person, name => "王\x{7f}国"}, {name => 'format'}],
    [verifyOrganization => {kind => 'club', name => 'x', uscc => '123', legal_name => '', legal_id_number => []},
        {kind => 'choice', name => 'too_short', uscc => 'format', legal_name => 'required', legal_id_number => 'type'}],
    [createOrder   => {}, {map { $_ => 'required' } qw(service project product unit)}],
    [createOrder   => {service => 'renewal', project => 1, product => $long, unit => 'u' x 33},
        {service => 'choice', project => 'type', product => 'too_long', unit => 'too_long'}],
    [createOrder   => {service => 'renew', project => 'procurement', product => 'none', unit => 'none'},
        {service => 'not_sold', product => 'choice', unit => 'choice'}],
    [editOrder     => {
            email    => 'nobody', address => 'here', version => 'new',
            invoice  => {type => 'special', title => $long, tax_number => 'x'},
            delivery => {method => 'mail', phone => 'none', recipient => ' '},
        }, {
            email => 'format', address => 'type', version => 'type', 'invoice.title' => 'too_long',
            'invoice.tax_number' => 'too_short', 'invoice.email' => 'required', 'invoice.address' => 'required',
            'invoice.phone' => 'required', 'invoice.bank' => 'required', 'invoice.account' => 'required',
            'delivery.phone' => 'too_short', 'delivery.recipient' => 'required', 'delivery.address' => 'required',
        }],
    [editOrder     => {version => 0, address => {planet => 'Mars'}, invoice => {}, delivery => {method => 'pigeon'}},
        {version => 'range', 'address.planet' => 'unknown', 'address.province' => 'required',
            'address.city' => 'required', 'address.street' => 'required', 'invoice.type' => 'required',
            'delivery.method' => 'choice'}],
    [acceptAgreement => {version => 1, sha256 => 'x' x 200}, {version => 'type', sha256 => 'too_long'}],
    [createPayment => {method => 'cash'},   {method => 'choice'}],
    [createPayment => {method => 'wechat'}, {method => 'not_sold'}],
    [rejectOrder   => {},                   {reasons => 'required'}],
    [rejectOrder   => {reasons => {}},      {reasons => 'type'}],
    [rejectOrder   => {reasons => []},      {reasons => 'too_short'}],
    [rejectOrder   => {reasons => [1, 2, (0) x 60]}, {reasons => 'too_long'}],
    [confirmPayment    => {bank_reference => 'x' x 65}, {bank_reference => 'too_long'}],
    [refusePayment     => {reason => "a\x{1}b"},        {reason => 'format'}],
    [refundOrder       => {reason => '   '},            {reason => 'required'}],
    [concludeRefund    => {bank_reference => 9},        {bank_reference => 'type'}],
    [shipOrder         => {courier => [], number => undef}, {courier => 'type', number => 'required'}],
    [revokeCertificate => {reason => 'dislike'},        {reason => 'choice'}],
    [createSession => {method => 'scan', scan => 1, secret => ''}, {scan => 'type', secret => 'required'}],
    [createScan   => {hall => 'none'},                  {hall => 'choice'}],
    [createScan   => {hall => {}},                      {hall => 'type'}],
    [getScanState => {},                                {secret => 'required'}],
    [getScanState => {secret => 'x' x 65},              {secret => 'too_long'}],
    [revokeOwnCertificate => {reason => 'privilege_withdrawn'}, {reason => 'choice'}],
    [revokeOwnCertificate => {},                        {reason => 'required'}],
    [switchUnit   => {},                                {unit => 'required'}],
    [switchUnit   => {unit => ['x']},                   {unit => 'type'}],
    [switchUnit   => {unit => 'x' x 33},                {unit => 'too_long'}],
    [inviteMember => {phone => '12345'},                {phone => 'format'}],
    [inviteMember => {},                                {phone => 'required'}],
    [handOverUnit => {account => 7},                    {account => 'type'}],
    [handOverUnit => {account => ''},                   {account => 'required'}],
    [askToJoin    => {uscc => '123', name => ''},       {uscc => 'format', name => 'required'}],
    [askToJoin    => {name => $long},                   {uscc => 'required', name => 'too_long'}],
    [appointAdministrator => {reason => 'x' x 401},     {account => 'required', reason => 'too_long'}],
);

subtest 'fields' => sub {
    my $before = state_of($portal);
    for my $case (@fields) {
        my ($id, $body, $bad) = @$case;
        is_problem(ask($id, $body), 422, 'invalid_fields', "$id: " . join(', ', map {"$_ $bad->{$_}"} sort keys %$bad),
            $bad);
    }
    is_unchanged($portal, $before, 'nothing changed');

    my $taken = $portal->order_until('submitted');
    $taken->step('claim');
    $before = state_of($portal);
    my %bad = ('reasons.0' => 'type', 'reasons.1.field' => 'required', 'reasons.1.code' => 'required',
        'reasons.1.text' => 'required', 'reasons.2.field' => 'choice', 'reasons.2.text' => 'too_long',
        'reasons.3.material' => 'choice', 'reasons.3.colour' => 'unknown');
    is_problem($portal->staff('reviewer')->post('/staff' . $taken->_order('/reject'), {reasons => ['x', {},
        {field => 'shoes', code => 'c', text => $long},
        {material => 'passport', code => 'c', text => 't', colour => 1}]}),
        422, 'invalid_fields', 'each reason of a rejection', \%bad);
    is_unchanged($portal, $before, 'nothing changed');
};

subtest 'a wrong check digit of a company' => sub {
    my $company = {kind => 'enterprise', %{ new_company() }};
    $company->{uscc} = $wrong->($company->{uscc});
    my $units = $portal->value('SELECT COUNT(*) FROM unit');
    is_problem(ask('verifyOrganization', $company), 422, 'invalid_fields', 'which the register does not know',
        {uscc => 'check_digit'});
    is $portal->value('SELECT COUNT(*) FROM unit'), $units, 'makes no unit';

    $portal->sandbox(post => '/registry', json => {organizations => [{
        map { $_ => $company->{$_} } qw(name uscc legal_name legal_id_number)}]});
    is ask('verifyOrganization', $company)->code, 200, 'which the register knows was issued so';
};

# ---- lists

my %lists = (
    listOrders       => [qw(state project from to unit after limit)],
    listDeskOrders   => [qw(state project after limit)],
    listPayments     => [qw(state after limit)],
    listCertificates => [qw(unit after limit)],
    listAudit        => [qw(after limit)],
);
my %bad_value = (state => ['nowhere', 'choice'], project => ['p' x 65, 'format'], from => ['2026-02-30', 'format'],
    to => ['20260101', 'format'], unit => ['u' x 33, 'format'], after => ['7', 'format'], limit => ['0', 'range']);

for my $id (sort keys %lists) {
    my $list = sub ($query) {
        my $role = $row{$id}{callers}[0];
        ($role eq 'account' ? $draft->applicant : $portal->staff($role))->get("$row{$id}{path}?$query");
    };
    subtest $id => sub {
        my @names = @{ $lists{$id} };
        is_problem($list->(join '&', (map {"$_=$bad_value{$_}[0]"} @names), 'colour=red'), 400, 'bad_query',
            'all that is wrong', {colour => 'unknown', map { $_ => $bad_value{$_}[1] } @names});
        is_problem($list->($_), 400, 'bad_query', $_)
            for 'limit=101', 'limit=-1', 'limit=1.5', 'limit=99999999999999999999', 'limit=', 'limit=5&limit=5',
            'after=%zz',
            'after=%', 'after=%00', 'after=' . 'ab' x 40, 'limit=%ff', '%6cimit=5', 'limit[]=5', '=', 'LIMIT=5',
            "after=1'%20OR%20'1'='1";
        is $list->('limit=1')->code, 200, 'a good one';
        is $list->('')->code, 200, 'an empty one';
    };
}

subtest 'cursors' => sub {
    my $client = $draft->applicant;
    $client->post('/api/orders', {service => 'new', project => 'public-resources', product => 'usbkey-1y',
        unit => $draft->{unit}});
    my $first = $client->get('/api/orders?limit=1')->json;
    ok $first->{next}, 'there is more';
    my $rest = $client->get("/api/orders?after=$first->{next}")->json;
    isnt $rest->{items}[0]{no}, $first->{items}[0]{no}, 'the next page';
    is $rest->{next}, undef, 'is the last';
    is_problem($client->get("/api/certificates?after=$first->{next}"), 400, 'bad_query', 'a cursor of another list',
        {after => 'format'});
    my $bent = $first->{next} =~ s/(.)\z/$1 eq '0' ? '1' : '0'/er;
    is_problem($client->get("/api/orders?after=$bent"), 400, 'bad_query', 'a bent cursor', {after => 'format'});
    is_deeply [map { $_->{no} } @{ $sent->applicant->get("/api/orders?after=$first->{next}")->json->{items} }],
        [$sent->no], "another's cursor shows one's own";
};

# ---- idempotency keys

sub order_of ($journey, %more) {
    return {service => 'new', project => 'public-resources', product => 'usbkey-1y', unit => $journey->{unit}, %more};
}

sub orders () { return $portal->value('SELECT COUNT(*) FROM certificate_order') }

subtest 'idempotency keys' => sub {
    my $client = $draft->applicant;
    my $key    = 'order-' . int rand 1e9;
    my $count  = orders();

    my $first = $client->post('/api/orders', order_of($draft), key => $key);
    my $again = $client->post('/api/orders', order_of($draft), key => $key);
    is $first->code, 201, 'an order';
    is $again->code . $again->body, '201' . $first->body, 'the same again';
    is orders(), $count + 1, 'is one order';

    my $before = state_of($portal);
    is_problem($client->post('/api/orders', order_of($draft, project => 'procurement'), key => $key), 409,
        'idempotency_key_reused', 'the key with another body');
    is_problem($client->post('/api/orders/' . $first->json->{no} . '/submit', {}, key => $key), 409,
        'idempotency_key_reused', 'with another operation');
    is_problem($client->post('/api/orders', order_of($draft), key => $_), 400, 'bad_idempotency_key',
        'a key of ' . length($_) . ' bytes')
        for 'short', 'x' x 65, 'with a space', "\xe9cole-2026";
    is_problem($client->post('/api/orders', order_of($draft, unit => 'none'), key => "$key-bad"), 422, 'invalid_fields',
        'what is refused');
    is_unchanged($portal, $before, 'nothing changed');
    is $client->post('/api/orders', order_of($draft), key => "$key-bad")->code, 201,
        'is not kept: corrected, it passes';

    my $other = $sent->applicant->post('/api/orders', order_of($sent), key => $key);
    is $other->code, 201, "another account's key";
    isnt $other->json->{no}, $first->json->{no}, "is that account's own";

    $count = orders();
    my @answers = at_once(map { [$client, POST => '/api/orders', json => order_of($draft), headers => {
        Cookie => '__Host-caportal=' . $client->cookie, 'Idempotency-Key' => "$key-16"}] } 1 .. 16);
    is_deeply [map { $_->code } @answers], [(201) x 16], 'sixteen at once';
    is scalar(keys %{ {map { $_->json->{no} => 1 } @answers} }), 1, 'are told of the same order';
    is orders(), $count + 1, 'there is one';
};

# A check by the provider costs money: it is not asked again for an answer that is known.
subtest 'keys of identity checks' => sub {
    my ($client, $journey) = $portal->sign_in;
    my $asked = sub { $portal->value('SELECT COUNT(*) FROM verification') };
    my $count = $asked->();

    is_problem($client->post('/api/identity/person', $journey->{person}, key => 'bad'), 400, 'bad_idempotency_key',
        'a bad key');
    is $asked->(), $count, 'costs nothing';
    is $client->post('/api/identity/person', $journey->{person}, key => 'identity-1')->code, 200, $_
        for 'first', 'again';
    is $asked->(), $count + 1, 'is asked once';
    is_problem($client->post('/api/identity/person', {%{ $journey->{person} }, name => '别人'}, key => 'identity-1'), 409,
        'idempotency_key_reused', 'about another with the same key');
    is $asked->(), $count + 1, 'is not asked';
};

done_testing;
