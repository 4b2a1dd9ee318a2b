use v5.36;
use utf8;
use warnings FATAL => 'all';

# Another number for an account: in a session that was proved anew, or, for who has lost the old number, by an
# application that a reviewer decides on. A thief of either gets nowhere unnoticed.

use Caportal::Files qw(random_text);
use Caportal::Sample qw(new_person new_phone);
use Caportal::Test;
use Caportal::Test::Captcha qw(captcha);
use Caportal::Test::Walk qw(at_once certificate_by code_of is_problem is_unchanged state_of);
use Mojo::JSON;
use Test::More;

my $portal   = Caportal::Test->start;
my $visitor  = $portal->client;
my $password = '青山不改-绿水长流-77';
my $reviewer = $portal->staff('reviewer');

sub account ($client) { return $client->get('/api/session')->json->{account} }

# The newest code at a phone; the newest event of a notice, once so many messages are there.
sub code_at ($phone) { return (map { $_->{params}{code} // () } $portal->inbox($phone))[0] }

sub event_at ($phone, $count) {
    return 'nothing' if !$portal->wait_for_messages($phone, $count);
    return ($portal->inbox($phone))[0]{params}{event};
}

sub forget_addresses () {
    $portal->forget_limits;
    return $portal->forget_keys('phone-change-*');
}

# A code to a number, for a client's account or for who has none.
sub code_for ($client, $phone, $purpose) {
    $portal->forget_limits;
    my $answer = $client->post('/api/sms-codes', {purpose => $purpose, phone => $phone});
    is $answer->code, 202, "a code ($purpose)" or diag $answer->body;
    return code_at($phone);
}

sub change ($client, $phone, $code) {
    return $client->request(PUT => '/api/account/phone', json => {phone => $phone, code => $code});
}

sub other_than ($code) { return sprintf '%06d', ($code + 1) % 1_000_000 }

sub by_sms ($phone) {
    my $client = $portal->client;
    my $code   = code_for($client, $phone, 'login');
    return ($client->post('/api/sessions', {method => 'sms', phone => $phone, code => $code}), $client);
}

subtest 'ASVS 7.5.1, 7.5.3: not without a fresh proof' => sub {
    my ($client, $journey) = $portal->sign_in;
    my $new    = new_phone();
    my $code   = code_for($client, $new, 'change_phone');
    my $before = state_of($portal);
    is_problem(change($client, $new, $code), 403, 'proof_required', 'with a code, a moment after signing in');
    is_unchanged($portal, $before, 'nothing changed');

    my $proof = code_for($client, $journey->{phone}, 'confirm');
    is $client->post('/api/session/proof', {method => 'sms', code => $proof})->code, 200, 'proved by the old number';
    is change($client, $new, $code)->code, 204, 'then it is changed';
    is account($client)->{phone}, $new =~ s/(?<=^...)..../****/r, 'shown masked';
};

subtest 'in a session' => sub {
    my ($client, $journey) = $portal->sign_in;
    my $id    = account($client)->{id};
    my $other = $portal->sign_in_again($journey);
    my $old   = $journey->{phone};
    my $new   = new_phone();
    $portal->prove($client);

    my $code = code_for($client, $new, 'change_phone');
    is_problem(change($client, $new, other_than($code)), 401, 'bad_code', 'another code');
    is_problem(change($client, new_phone(), $code), 401, 'bad_code', 'the code of another number');
    my $messages = $portal->inbox($old);
    is change($client, $new, $code)->code, 204, 'changed';
    is $client->get('/api/session')->code, 200, 'the own session goes on';
    is_problem($other->get('/api/session'), 401, 'unauthenticated', 'the others end');
    is event_at($old, $messages + 1), '绑定的手机号已更换', 'the old number is told';
    is $portal->value("SELECT COUNT(*) FROM audit WHERE action = 'account.phone' AND object_id = ?", $id), 1,
        'recorded';

    my ($answer) = by_sms($new);
    is $answer->json->{account}{id}, $id, 'the new number signs in';
    ($answer) = by_sms($old);
    isnt $answer->json->{account}{id}, $id, 'the old one is a new account\'s';

    $portal->prove($client);
    $code = code_for($client, $new, 'change_phone');
    my $rows = state_of($portal);
    is change($client, $new, $code)->code, 204, 'the same number again';
    is_unchanged($portal, {%$rows, sms_code => state_of($portal)->{sms_code}}, 'changes nothing');
};

subtest 'codes of others, and numbers of others' => sub {
    my ($client)          = $portal->sign_in;
    my ($thief)           = $portal->sign_in;
    my ($third, $journey) = $portal->sign_in;
    $portal->prove($_) for $client, $thief;
    my $new  = new_phone();
    my $code = code_for($client, $new, 'change_phone');
    is_problem(change($thief, $new, $code), 401, 'bad_code', 'a code is good for the account that asked for it');
    is_problem(change($client, $new, code_for($visitor, $new, 'login')), 401, 'bad_code', 'and for this purpose');
    is_problem(change($client, $new, code_for($visitor, $new, 'lost_phone')), 401, 'bad_code',
        'not that of an application');

    my $taken = $journey->{phone};
    is_problem(change($thief, $taken, '000000'), 401, 'bad_code', 'whose number it is is not told to who guesses');
    $code = code_for($thief, $taken, 'change_phone');
    is_problem(change($thief, $taken, other_than($code)), 401, 'bad_code', 'nor with a wrong code');
    my $before = state_of($portal);
    is_problem(change($thief, $taken, $code), 409, 'phone_taken', 'but to who has it in hand');
    is_unchanged($portal, {%$before, sms_code => state_of($portal)->{sms_code}}, 'nothing changed');

    $portal->prove($third);
    is $third->post('/api/account/close')->code, 204, 'the other account is closed';
    is change($thief, $taken, $code)->code, 204, 'the number is free, and the code was not used up';
};

subtest 'one number, two accounts at once' => sub {
    my @clients = map { scalar $portal->sign_in } 1, 2;
    my $new     = new_phone();
    my @calls;
    for my $client (@clients) {
        $portal->prove($client);
        my $code = code_for($client, $new, 'change_phone');
        push @calls, map { [$client, PUT => '/api/account/phone', json => {phone => $new, code => $code},
            headers => {Cookie => '__Host-caportal=' . $client->cookie}] } 1 .. 3;
    }
    my @answers = at_once(@calls);
    my $masked = $new =~ s/(?<=^...)..../****/r;
    is scalar(grep { account($_)->{phone} eq $masked } @clients), 1, 'one has it';
    is scalar(grep { $_->code !~ /\A(?:204|401|409|503)\z/ } @answers), 0, 'the others are told why not'
        or diag join ' ', map { $_->code } @answers;
};

# ---- the number is lost

# An application: what was answered; its id for the desk.
sub apply ($login, $person, $phone, %more) {
    my $code = delete $more{code} // code_for($visitor, $phone, 'lost_phone');
    return $visitor->post('/api/phone-changes', {login => $login, phone => $phone, code => $code,
        name => $person->{name}, id_number => $person->{id_number}, reason => '原手机号已停用', captcha($visitor), %more});
}

sub desk_id ($answer)           { return $answer->json->{id} =~ s/\..*//r }
sub desk ($answer, $as = $reviewer) { return $as->get('/staff/api/phone-changes/' . desk_id($answer)) }

sub decide ($answer, $decision, $json = {}, $as = $reviewer) {
    return $as->post('/staff/api/phone-changes/' . desk_id($answer) . "/$decision", $json, key => random_text(16));
}

subtest 'an application' => sub {
    forget_addresses();
    my ($client, $journey) = $portal->sign_in(person => 1);
    my $id     = account($client)->{id};
    my $old    = $journey->{phone};
    my $new    = new_phone();
    my $person = $journey->{person};
    $portal->set_password($client, $password);
    my $count = $portal->inbox($old);

    my $applied = apply($old, $person, $new);
    is $applied->code, 201, 'is made without a session' or diag $applied->body;
    is $applied->json->{state}, 'submitted', 'it waits';
    is event_at($old, $count + 1), '有人申请更换绑定的手机号', 'the old number is told';
    my $mine = $visitor->get('/api/phone-changes/' . $applied->json->{id});
    is $mine->json->{state}, 'submitted', 'the applicant may ask how it stands';

    my ($row) = @{ $portal->rows('SELECT * FROM phone_change ORDER BY id DESC LIMIT 1') };
    my $stored = join "\n", map { $_ // '' } values %$row;
    unlike $stored, qr/$new|$old|$person->{id_number}|\Q${\ ($applied->json->{id} =~ s!.*\.!!r)}\E/,
        'stored sealed, and without the secret';

    my $shown = desk($applied)->json;
    is_deeply [@$shown{qw(same_name same_id_number state)}, $shown->{account}{id}],
        [Mojo::JSON->true, Mojo::JSON->true, 'submitted', $id], 'the reviewer sees that it is the same person';
    unlike desk($applied)->body, qr/$new|$old|$person->{id_number}/, 'and no number in full';
    my $list   = $reviewer->get('/staff/api/phone-changes?state=submitted&limit=100')->json->{items};
    my ($line) = grep { $_->{id} eq desk_id($applied) } @$list;
    is $line->{phone}, $new =~ s/(?<=^...)..../****/r, 'it is on the list';

    $count = $portal->inbox($old);
    is decide($applied, 'approve')->json->{state}, 'approved', 'approved';
    is event_at($old, $count + 1), '绑定的手机号已更换', 'the old number is told';
    is event_at($new, 2), '绑定的手机号已更换', 'and the new one';
    is_problem($client->get('/api/session'), 401, 'unauthenticated', 'all sessions end');
    my ($answer) = by_sms($new);
    is $answer->json->{account}{id}, $id, 'the new number signs in';
    is $visitor->get('/api/phone-changes/' . $applied->json->{id})->json->{state}, 'approved', 'the applicant sees it';

    my $before = state_of($portal);
    is decide($applied, 'approve')->json->{state}, 'approved', 'approved again is answered again';
    is_problem(decide($applied, 'reject', {reason => '不符'}), 409, 'conflict', 'and not rejected any more');
    is state_of($portal)->{$_}, $before->{$_}, "... $_ stays" for qw(account phone_change audit);
};

subtest 'ASVS 6.3.8: an applicant learns nothing about logins' => sub {
    forget_addresses();
    my ($client, $journey) = $portal->sign_in(person => 1);
    my $person = new_person();
    my $bytes  = sub ($response) { $response->code . $response->body =~ s/"request_id":"\w+"//r =~ s/"id":"[^"]+"//r };

    my $known   = apply($journey->{phone}, $person, new_phone());
    my $unknown = apply(new_phone(), $person, new_phone());
    my $nobody  = apply('nobody.at.all', $person, new_phone());
    is $bytes->($unknown), $bytes->($known), 'a number that is nobody\'s';
    is $bytes->($nobody),  $bytes->($known), 'a name that is nobody\'s';
    is length($unknown->json->{id}), length($known->json->{id}), 'ids of one length';

    my @states = map { $visitor->get('/api/phone-changes/' . $_->json->{id})->json } $known, $unknown;
    delete @$_{qw(created_at expires_at phone)} for @states;
    is_deeply $states[1], $states[0], 'they stand alike';
    is desk($unknown)->json->{account}, undef, 'the reviewer sees that it is nobody\'s';
    is_problem(decide($unknown, 'approve'), 409, 'conflict', 'and cannot approve it');
    is_problem(decide($known, 'approve'), 409, 'conflict', 'nor that of another person');
    is desk($known)->json->{same_id_number}, Mojo::JSON->false, 'who is told so';
    for my $answer ($known, $unknown) {
        is decide($answer, 'reject', {reason => '身份信息不一致'})->json->{state}, 'rejected', 'both are rejected';
    }
    @states = map { $visitor->get('/api/phone-changes/' . $_->json->{id})->json } $known, $unknown;
    is $states[0]{reason}, '身份信息不一致', 'with a reason';
    delete @$_{qw(created_at expires_at decided_at phone)} for @states;
    is_deeply $states[1], $states[0], 'and still stand alike';
    is $client->get('/api/session')->code, 200, 'the account is not touched';
};

subtest 'who may not approve' => sub {
    forget_addresses();
    my ($client, $journey) = $portal->sign_in(person => 1);
    my $applied = apply($journey->{phone}, $journey->{person}, new_phone());

    my %certificate = certificate_by($portal, 'staff-ca');
    $portal->ctl('staff', 'add', '--name', '审核员本人', '--roles', 'reviewer', '--certificate', $certificate{cert},
        '--id-number', $journey->{person}{id_number});
    my $oneself = $portal->client('certificate', %certificate);
    $oneself->post('/api/sessions', {method => 'certificate'});
    my $before = state_of($portal);
    is_problem(decide($applied, 'approve', {}, $oneself), 403, 'same_person', 'not oneself');
    is_problem(decide($applied, 'reject', {reason => '不要'}, $oneself), 403, 'same_person', 'in either way');
    is_problem(decide($applied, 'approve', {}, $portal->staff($_)), 403, 'forbidden', "not the $_")
        for qw(finance producer shipper auditor administrator);
    is state_of($portal)->{$_}, $before->{$_}, "$_ stays" for qw(account phone_change);
    is decide($applied, 'approve')->code, 200, 'another reviewer';
};

subtest 'conflicts' => sub {
    forget_addresses();
    my ($client, $journey)   = $portal->sign_in(person => 1);
    my ($someone, $holder)   = $portal->sign_in;
    my $person = $journey->{person};

    my $taken = apply($journey->{phone}, $person, $holder->{phone});
    is $taken->code, 201, 'a number that another account has';
    is_problem(decide($taken, 'approve'), 409, 'phone_taken', 'is not given');

    my $new    = new_phone();
    my $first  = apply($journey->{phone}, $person, $new);
    my $second = apply($journey->{phone}, $person, $new);
    is $visitor->get('/api/phone-changes/' . $first->json->{id})->json->{state}, 'superseded',
        'a second one of a number';
    is_problem(decide($first, 'approve'), 409, 'conflict', 'takes the place of the first');

    is decide($second, 'approve')->code, 200, 'which is approved';
    is desk($taken)->json->{state}, 'superseded', 'and ends the others of the account';

    my $late = apply($new, $person, new_phone());
    $portal->change('UPDATE phone_change SET expires_at = created_at WHERE public_id = ?', desk_id($late));
    is $visitor->get('/api/phone-changes/' . $late->json->{id})->json->{state}, 'expired', 'thirty days later';
    is_problem(decide($late, 'approve'), 409, 'conflict', 'it is too late');

    my ($disabled, $theirs) = $portal->sign_in(person => 1);
    forget_addresses();
    my $of_disabled = apply($theirs->{phone}, $theirs->{person}, new_phone());
    $portal->change("UPDATE account SET state = 'disabled' WHERE public_id = ?", account($disabled)->{id});
    is_problem(decide($of_disabled, 'approve'), 409, 'conflict', 'a disabled account stays out');

    my ($renamed, $his) = $portal->sign_in(person => 1);
    my $of_renamed = apply($his->{phone}, {%{ $his->{person} }, name => '欧阳另名'}, new_phone());
    is_deeply [@{ desk($of_renamed)->json }{qw(same_name same_id_number)}], [Mojo::JSON->false, Mojo::JSON->true],
        'another name to the same ID number';
    is_problem(decide($of_renamed, 'approve'), 409, 'conflict', 'will not do');

    my ($unverified, $them) = $portal->sign_in;
    my $of_unverified = apply($them->{phone}, $them->{person}, new_phone());
    is_problem(decide($of_unverified, 'approve'), 409, 'conflict', 'nor is one given that nobody was verified for');
};

subtest 'a way back in' => sub {
    forget_addresses();
    my ($client, $journey) = $portal->sign_in(person => 1);
    my $id = account($client)->{id};
    $portal->change('UPDATE account SET sign_in_ways = 4 WHERE public_id = ?', $id);
    my $applied = apply($journey->{phone}, $journey->{person}, $journey->{phone});
    is decide($applied, 'approve')->code, 200, 'for the same number, where the certificate was lost';
    my ($answer) = by_sms($journey->{phone});
    is $answer->json->{account}{id}, $id, 'it signs in by any way again';
};

subtest 'what is no application' => sub {
    forget_addresses();
    my ($client, $journey) = $portal->sign_in(person => 1);
    my $person = $journey->{person};
    my $new    = new_phone();
    my $code   = code_for($visitor, $new, 'lost_phone');
    my $before = state_of($portal);

    is_problem(apply('somebody', $person, $new, code => other_than($code)), 401, 'bad_code', 'another code');
    is_problem(apply('somebody', $person, $new, code => $code, captcha_answer => 'no'), 422, 'bad_captcha',
        'no captcha');
    is_problem(apply('somebody', {%$person, id_number => '110105194912310021'}, $new, code => $code), 422,
        'invalid_fields', 'no ID number', {id_number => 'check_digit'});
    is_problem(apply('somebody', $person, $new, code => $code, state => 'approved', account => 1), 422,
        'invalid_fields', 'ASVS 8.2.3, 15.3.3: fields that are not the applicant\'s',
        {state => 'unknown', account => 'unknown'});
    is_unchanged($portal, $before, 'nothing changed');

    my $applied = apply('somebody', $person, $new, code => $code);
    is $applied->code, 201, 'a good one';
    is_problem(apply('somebody', $person, $new, code => $code), 401, 'bad_code', 'its code works once');
    my ($id, $secret) = split /\./, $applied->json->{id};
    is_problem($visitor->get("/api/phone-changes/$_"), 404, 'not_found', 'another name of it')
        for $id, "$id.", "$id.$secret" . 'A', "$id." . reverse($secret), ".$secret", "nothing.$secret";

    forget_addresses();
    my @codes = map { code_of(apply('somebody', $person, $new, code => '000000')) } 1 .. 6;
    is $codes[-1], 'rate_limited', 'so many a day from one address';
};

done_testing;
