use v5.36;
use utf8;
use warnings FATAL => 'all';

# What an account is signed in to by: addresses, user names, names of companies; by which ways alone; and its end.

use Caportal::Files qw(read_file);
use Caportal::Sample qw(new_company new_person new_phone);
use Caportal::Test;
use Caportal::Test::Captcha qw(captcha);
use Caportal::Test::Walk qw(at_once certificate_by code_of is_problem is_unchanged state_of);
use Mojo::JSON;
use Test::More;

# A second hall, in which companies register by their names.
my $portal = Caportal::Test->start(edit => sub ($text) {
    my $hall = read_file('conf/halls/nmgca.conf');
    $hall =~ s/caportal_hall nmgca/caportal_hall companies/;
    $hall =~ s/^( +sign_in +).*;/$1company;/m;
    $hall =~ s/project (\S+) \{/project companies-$1 {/g;
    $text =~ s/(caportal_password threads)=2 max_queue=8/$1=4 max_queue=64/;
    $text =~ s/^(\s*caportal_captcha )[^;]*;/$1sms=off password=1000;/m or die 'no caportal_captcha';
    return $text =~ s/^(\s+include\s+halls.*)/$1\n$hall/mr;
});
my $password = '青山不改-绿水长流-77';

sub put ($client, $path, $json) { return $client->request(PUT => $path, json => $json) }

# A session with a password, proved anew; the client and its way.
sub holder (%option) {
    my ($client, $journey) = $portal->sign_in(%option);
    $portal->set_password($client, $password);
    $portal->prove($client);
    return ($client, $journey);
}

sub account ($client) { return $client->get('/api/session')->json->{account} }

sub by_password ($login, $with = $password, $client = $portal->client) {
    return $client->post('/api/sessions', {method => 'password', login => $login, password => $with});
}

sub by_sms ($journey, $client = $portal->client) {
    $portal->forget_limits;
    $client->post('/api/sms-codes', {phone => $journey->{phone}, purpose => 'login'});
    return $client->post('/api/sessions', {method => 'sms', phone => $journey->{phone}, code => $journey->code});
}

sub bytes_of ($response) { return $response->code . $response->body =~ s/"request_id":"\w+"//r }

# So much time passes for every login that is not confirmed.
sub days_pass ($days) {
    return $portal->change('UPDATE account_login SET created_at = created_at - ?', $days * 86_400_000);
}

sub no_counters () {
    return $portal->redis('EVAL', "for _, key in ipairs(redis.call('KEYS', 'caportal:*')) do"
            . " if not string.find(key, 'sessions:', 1, true) then redis.call('DEL', key) end end", 0);
}

subtest 'an address and a user name' => sub {
    my ($client, $journey) = holder();
    my $name = 'Lan-Tian.' . int rand 1e9;
    is put($client, '/api/account/email', {email => 'Agent.Wang@Example.com'})->code, 204, 'an address';
    is put($client, '/api/account/user-name', {user_name => $name})->code, 204, 'a name';

    my $shown = account($client);
    is $shown->{email}, 'A***@Example.com', 'the address is shown masked';
    is $shown->{user_name}, $name, 'the name as it was given';
    is $shown->{company}, undef, 'no company';

    my $id = $shown->{id};
    is by_password($_)->json->{account}{id}, $id, "signed in as $_"
        for $journey->{phone}, 'agent.wang@example.com', 'AGENT.WANG@EXAMPLE.COM', 'agent.wang＠example.com', lc $name,
        uc $name;
    is_problem(by_password($_), 401, 'bad_credentials', "not as $_") for 'agent.wang@example.org', "${name}1", "1$name";

    my ($row) = @{ $portal->rows('SELECT login_sealed, login_index FROM account_login WHERE kind = "email"') };
    unlike join('', values %$row), qr/example|wang/i, 'what is stored tells nothing';

    is put($client, '/api/account/email', {email => 'agent.wang@example.com'})->code, 204, 'the same in small letters';
    is account($client)->{email}, 'a***@example.com', 'is kept so';
    is put($client, '/api/account/email', {email => 'wang@example.com'})->code, 204, 'another address';
    is_problem(by_password('agent.wang@example.com'), 401, 'bad_credentials', 'takes the place of the first');

    is $client->delete('/api/account/user-name')->code, 204, 'taken away';
    is $client->delete('/api/account/user-name')->code, 204, 'again, as good';
    is_problem(by_password($name), 401, 'bad_credentials', 'the name is nobody\'s');
    is account($client)->{user_name}, undef, 'nor shown';
};

subtest 'logins of others' => sub {
    my ($client) = holder();
    my ($other)  = holder();
    my $name = 'taken' . int rand 1e9;

    is put($client, '/api/account/user-name', {user_name => $name})->code, 204, 'a name';
    my $before = state_of($portal);
    is_problem(put($other, '/api/account/user-name', {user_name => uc $name}), 409, 'already_exists',
        'is nobody else\'s, in capitals either');
    is_unchanged($portal, $before, 'nothing changed');
    is $client->delete('/api/account/user-name')->code, 204, 'given up';
    is put($other, '/api/account/user-name', {user_name => $name})->code, 204, 'it is free';

    my %cookie = (headers => {Cookie => '__Host-caportal=' . $client->cookie});
    my %others = (headers => {Cookie => '__Host-caportal=' . $other->cookie});
    my @answers = at_once(map { [$client, PUT => '/api/account/email', json => {email => 'one@example.com'},
        $_ % 2 ? %cookie : %others] } 1 .. 8);
    is $portal->value('SELECT COUNT(DISTINCT account_id) FROM account_login WHERE kind = "email" AND account_id IN '
        . '(SELECT id FROM account WHERE public_id IN (?, ?))', map { account($_)->{id} } $client, $other), 1,
        'one of two who ask at once has it';
    is scalar(grep { $_->code !~ /\A(?:204|409|429)\z/ } @answers), 0, 'the other is told so';

    is code_of(put($client, '/api/account/user-name', {user_name => "probe$_"})), 204, 'probing ...' for 1 .. 3;
    my @probes = map { code_of(put($client, '/api/account/user-name', {user_name => $name})) } 1 .. 10;
    is $probes[-1], 'rate_limited', '... is not for long';
};

subtest 'what is no login' => sub {
    my ($client) = holder();
    my $before = state_of($portal);
    my %bad = (
        'user-name' => [map { [{user_name => $_->[0]}, {user_name => $_->[1]}] } ['abc', 'too_short'],
            ['13800138000', 'format'], ['1abcd', 'format'], ['ab cd', 'format'], ['蓝天科技', 'format'],
            ['a@b.example', 'format'], ['a' x 33, 'too_long'], [undef, 'required'], [['abcd'], 'type']],
        'email' => [map { [{email => $_->[0]}, {email => $_->[1]}] } ['nobody', 'format'], ['@example.com', 'format'],
            ['a b@example.com', 'format'], ['a@' . 'x' x 100 . '.com', 'too_long'], ['', 'required']],
    );
    for my $path (sort keys %bad) {
        is_problem(put($client, "/api/account/$path", $_->[0]), 422, 'invalid_fields',
            "$path " . ($_->[0]{user_name} // $_->[0]{email} // 'null'), $_->[1]) for @{ $bad{$path} };
    }
    is_unchanged($portal, $before, 'nothing changed');
};

subtest 'ASVS 8.2.3, 15.3.3: fields that are none of the caller\'s' => sub {
    my ($client) = holder();
    my $before = state_of($portal);
    my %more = (state => 'active', account => 1, confirmed_at => 1, roles => 63, person_id => 1);
    is_problem(put($client, '/api/account/email', {email => 'extra@example.com', %more}), 422, 'invalid_fields',
        'beside an address', {map { $_ => 'unknown' } keys %more});
    is_problem(put($client, '/api/account/phone', {phone => new_phone(), code => '123456', %more}), 422,
        'invalid_fields', 'beside a number', {map { $_ => 'unknown' } keys %more});
    is_problem($portal->client->post('/api/accounts', {company => '蓝天科技公司', password => $password, %more}), 422,
        'invalid_fields', 'beside a company', {map { $_ => 'unknown' } keys %more});
    is_problem($client->post('/api/account/close', {%more}), 422, 'invalid_fields', 'at the end',
        {map { $_ => 'unknown' } keys %more});
    is_unchanged($portal, $before, 'nothing changed');
};

subtest 'guesses at one login count together, however it is written' => sub {
    my ($client) = holder();
    is put($client, '/api/account/user-name', {user_name => 'Guessed.Name'})->code, 204, 'a name';
    no_counters();
    my @codes = map { code_of(by_password($_, 'a wrong guess')) }
        qw(guessed.name GUESSED.NAME Guessed.name gUESSED.name ｇｕｅｓｓｅｄ.name), ('guessed.name') x 6;
    is $codes[-1], 'rate_limited', 'eleven are too many' or diag "@codes";
    no_counters();
};

sub register ($company, %more) {
    my $client = $portal->client;
    my $answer = $client->post('/api/accounts', {company => $company, password => $password, captcha($client), %more});
    return wantarray ? ($client, $answer) : $answer;
}

subtest 'a company registers by its name' => sub {
    my ($company, $person) = (new_company(), new_person());
    my $name = $company->{name} . '（北京）';
    $company->{name} = $name;
    my ($client, $answer) = register($name);
    is $answer->code, 201, 'registered' or diag $answer->body;
    like $answer->headers->set_cookie, qr/\A__Host-caportal=[\w-]{63}; /, 'and signed in';

    my $shown = account($client);
    is $shown->{phone}, undef, 'without a number';
    is_deeply $shown->{company}, {name => $name, confirmed => Mojo::JSON->false}, 'by a name that nobody confirmed';
    is_deeply $shown->{completion}, [qw(phone person organization)], 'told what is missing';
    is by_password($_)->json->{account}{id}, $shown->{id}, "signs in as $_" for $name, $name =~ tr/（）/()/r;

    is_problem($client->post('/api/identity/person', $person), 422, 'incomplete', 'no check before there is a number',
        {phone => 'required'});
    is $client->post('/api/orders', {service => 'new', project => 'procurement', product => 'usbkey-1y',
        unit => 'none'})->code, 403, 'no order';
    is_problem($client->post('/api/sms-codes', {purpose => 'confirm'}), 422, 'invalid_fields', 'no code to no number',
        {phone => 'not_sold'});
    is_problem($client->delete('/api/account/company'), 403, 'proof_required', 'the name stays');

    is $client->post('/api/session/proof', {method => 'password', password => $password})->code, 200,
        'the password proves';
    is_problem($client->delete('/api/account/company'), 409, 'conflict', 'the only login stays');

    my $journey = $portal->journey(person => $person, company => $company);
    $journey->step('registry');
    is $client->post('/api/sms-codes', {purpose => 'change_phone', phone => $person->{mobile}})->code, 202, 'a code';
    is put($client, '/api/account/phone', {phone => $person->{mobile}, code => $journey->code})->code, 204, 'a number';
    is_deeply account($client)->{completion}, [qw(person organization)], 'is there';
    is $client->post('/api/identity/person', $person)->json->{verdict}, 'match', 'the agent';
    is_deeply account($client)->{completion}, ['organization'], 'is known';

    my $other = new_company();
    $portal->journey(company => $other)->step('registry');
    is $client->post('/api/identity/organization', {kind => 'enterprise', %$other})->json->{verdict}, 'match',
        'another organisation';
    is_deeply account($client)->{completion}, ['organization'], 'confirms no other name';
    is $client->post('/api/identity/organization', {kind => 'enterprise', %$company})->json->{verdict}, 'match',
        'the organisation';
    $shown = account($client);
    is_deeply $shown->{completion}, [], 'nothing is missing';
    is_deeply $shown->{company}, {name => $name, confirmed => Mojo::JSON->true}, 'the name is confirmed';
};

subtest 'whose name it is, ASVS 6.3.8' => sub {
    my $company = new_company();
    my $name    = $company->{name};
    my ($squatter, $answer) = register($name);
    is $answer->code, 201, 'somebody took it';
    is_problem(scalar register($name), 409, 'already_exists', 'it is held');
    days_pass(6.9);
    my $held = register($name);
    is_problem($held, 409, 'already_exists', 'for seven days');

    days_pass(0.2);
    my $gone = account($squatter)->{id};
    my ($second, $taken) = register($name);
    is $taken->code, 201, 'then it is taken over';
    is_problem($squatter->get('/api/session'), 401, 'unauthenticated', 'the account that had it is over');
    is $portal->value('SELECT state FROM account WHERE public_id = ?', $gone), 'closed', 'and closed';
    is by_password($name)->json->{account}{id}, account($second)->{id}, 'the name is the new account\'s';

    no_counters();
    my $journey = $portal->journey(company => $company);
    $journey->step($_) for qw(registry sms_code sign_in person);
    my $true = $journey->applicant;
    is_problem(by_password($name, 'not that one'), 401, 'bad_credentials', 'meanwhile');
    $journey->step('organization');
    is_problem($second->get('/api/session'), 401, 'unauthenticated', 'whoever proves the organisation ends that');
    is_problem(by_password($name), 401, 'bad_credentials', 'the name signs nobody in');

    my $third = register($name);
    is $third->code, 201, 'until somebody registers it';
    $portal->set_password($true, $password);
    $portal->prove($true);
    is put($true, '/api/account/company', {unit => $journey->{unit}})->code, 204, 'the administrator takes it back';
    is_deeply account($true)->{company}, {name => $name, confirmed => Mojo::JSON->true}, 'confirmed';
    is by_password($name)->json->{account}{id}, account($true)->{id}, 'it signs in';
    days_pass(100);
    is bytes_of(scalar register($name)), bytes_of($held), 'a confirmed name is refused with the same bytes, for good';

    my ($stranger) = $portal->sign_in(person => 1);
    $portal->prove($stranger);
    is_problem(put($stranger, '/api/account/company', {unit => $journey->{unit}}), 404, 'not_found',
        'another\'s unit gives no name');
    is $true->delete('/api/account/company')->code, 204, 'given up';
};

subtest 'registrations that are none' => sub {
    no_counters();
    my $before = state_of($portal);
    my $client = $portal->client;
    is_problem(scalar register('Blue Sky Limited'), 422, 'invalid_fields', 'a name in ASCII', {company => 'format'});
    is_problem(scalar register('13800138000'), 422, 'invalid_fields', 'a number', {company => 'format'});
    is_problem(scalar register('蓝天科技公司', password => '12345678'), 422, 'invalid_fields', 'a password of all',
        {password => 'common'});
    is_problem($client->post('/api/accounts', {company => '蓝天科技公司', password => $password}), 403,
        'captcha_required', 'no captcha');
    my %captcha = captcha($client);
    is_problem($client->post('/api/accounts', {company => '蓝天科技公司', password => $password, %captcha,
        captcha_answer => 'no'}), 422, 'bad_captcha', 'a wrong answer');
    is_problem($client->post('/api/accounts', {company => '蓝天科技公司', password => $password, %captcha}), 422,
        'bad_captcha', 'the right one, too late');
    is_unchanged($portal, $before, 'nothing changed');

    my @codes = map { code_of(scalar register(new_company()->{name})) } 1 .. 6;
    is_deeply \@codes, [(201) x 5, 'rate_limited'], 'five an hour from one address';
    no_counters();
};

subtest 'ASVS 6.3.4: an account that only a certificate opens' => sub {
    my $issued  = $portal->order_until('issued');
    my $client  = $issued->applicant;
    $issued->step('download');
    $portal->set_password($client, $password);
    my %wrong = (sms => bytes_of($portal->client->post('/api/sessions', {method => 'sms', phone => new_phone(),
        code => '000000'})), password => bytes_of(by_password(new_phone())));

    is_problem(put($client, '/api/account/sign-in-ways', {ways => ['certificate']}), 403, 'proof_required',
        'a matter for a fresh proof');
    my $left_open = $portal->sign_in_again($issued);
    $portal->prove($client);
    is put($client, '/api/account/sign-in-ways', {ways => ['certificate']})->code, 204, 'no other way in';
    is_deeply account($client)->{sign_in_ways}, ['certificate'], 'shown';
    is_problem($left_open->get('/api/session'), 401, 'unauthenticated', 'a session by another way is over');

    is bytes_of(by_sms($issued)), $wrong{sms}, 'a code that is right is refused like one that is wrong';
    is bytes_of(by_password($issued->{phone})), $wrong{password}, 'and so is the password';
    no_counters();
    my @right = map { code_of(by_password($issued->{phone})) } 1 .. 11;
    is $right[-1], 'rate_limited', 'a right one counts as a guess, so that it cannot be told from a wrong one';
    no_counters();
    is $issued->step('certificate') =~ /account/, 1, 'the certificate signs in';

    my $reset = $client->post('/api/session/proof', {method => 'password', password => $password});
    is_problem($reset, 422, 'invalid_fields', 'nor does the password prove', {method => 'not_sold'});
    $portal->prove($client);
    is $client->delete('/api/account/sign-in-ways')->code, 204, 'lifted';
    is by_password($issued->{phone})->code, 201, 'the password signs in again';

    my ($poor) = $portal->sign_in;
    $portal->prove($poor);
    is_problem(put($poor, '/api/account/sign-in-ways', {ways => $_}), 409, 'conflict', "without one: not @$_ alone")
        for ['certificate'], ['password'], ['scan'], ['challenge'];
    is put($poor, '/api/account/sign-in-ways', {ways => ['sms', 'password']})->code, 204, 'with one that is open';
    is_problem(put($poor, '/api/account/sign-in-ways', {ways => $_->[0]}), 422, 'invalid_fields', 'no ways',
        {ways => $_->[1]}) for [['magic'], 'choice'], [['company'], 'choice'], [[1], 'type'], [[], 'too_short'],
        ['sms', 'type'];
};

subtest 'closing' => sub {
    my $issued = $portal->order_until('issued');
    my $holder = $issued->applicant;
    $portal->prove($holder);
    my $answer = $holder->post('/api/account/close');
    is_problem($answer, 409, 'conflict', 'not with an order on its way and a valid certificate');
    is_deeply $answer->json->{open}, [qw(orders certificates)], 'which are named';

    my ($client, $journey) = holder(person => 1, company => 1);
    my $id = account($client)->{id};
    is put($client, '/api/account/email', {email => 'closing@example.com'})->code, 204, 'an address';
    my $elsewhere = $portal->client;
    is by_password('closing@example.com', $password, $elsewhere)->code, 201, 'signed in elsewhere';
    is_problem($elsewhere->post('/api/account/close'), 403, 'proof_required', 'not without a fresh proof');

    my $agent = $portal->journey(company => $journey->{company});
    $agent->step($_) for qw(registry sms_code sign_in person organization);
    is_deeply $client->post('/api/account/close')->json->{open}, ['units'], 'nor while others act for the unit';
    $portal->prove($agent->applicant);
    is $agent->applicant->post('/api/account/close')->code, 204, 'an agent may go';
    is $client->get("/api/units/$journey->{unit}/members")->code, 200, 'the unit goes on';

    $answer = $client->post('/api/account/close');
    is $answer->code, 204, 'the last one may' or diag $answer->body;
    like $answer->headers->set_cookie, qr/Max-Age=0/, 'the cookie is taken away';
    is_problem($_->get('/api/session'), 401, 'unauthenticated', 'over') for $client, $elsewhere;
    is_problem(by_password('closing@example.com'), 401, 'bad_credentials', 'the address signs nobody in');
    my ($row) = @{ $portal->rows('SELECT state, phone_index, password FROM account WHERE public_id = ?', $id) };
    is_deeply $row, {state => 'closed', phone_index => undef, password => undef}, 'what is left';
    is $portal->value('SELECT COUNT(*) FROM unit_member m JOIN account a ON a.id = m.account_id WHERE a.public_id = ?',
        $id), 0, 'it acts for nobody';
    is $portal->value("SELECT COUNT(*) FROM audit WHERE action = 'account.close' AND object_id = ?", $id), 1,
        'recorded';

    my $again = by_sms($journey);
    is $again->code, 201, 'the number may register anew';
    isnt $again->json->{account}{id}, $id, 'as another account';
};

done_testing;
