use v5.36;
use utf8;
use warnings FATAL => 'all';

# The same of what changes an account: every statement fails once, nothing of the change stays, and what was needed for
# it, a code or a proof, is not used up.

use Caportal::Files qw(random_text read_file);
use Caportal::Sample qw(new_company new_phone);
use Caportal::Test;
use Caportal::Test::Captcha qw(captcha);
use Caportal::Test::Statements qw(writes_all_or_nothing);
use Test::More;

my $portal = Caportal::Test->start(edit => sub ($text) {
    my $hall = read_file('conf/halls/nmgca.conf');
    $hall =~ s/caportal_hall nmgca/caportal_hall companies/;
    $hall =~ s/^( +sign_in +).*;/$1company;/m;
    $hall =~ s/project (\S+) \{/project companies-$1 {/g;
    return $text =~ s/^(\s+include\s+halls.*)/$1\n$hall/mr;
});
my $visitor  = $portal->client;
my $password = '青山不改-绿水长流-77';

sub expect ($answer, @good) {
    die 'got ' . Caportal::Client->describe($answer) . "\n" if !grep { $_ == $answer->code } @good;
    return $answer;
}

sub put ($client, $path, $json) { return expect($client->request(PUT => $path, json => $json), 204) }

sub code_for ($client, $phone, $purpose) {
    $portal->forget_limits;
    expect($client->post('/api/sms-codes', {purpose => $purpose, phone => $phone}), 202);
    $portal->forget_limits;
    return (map { $_->{params}{code} // () } $portal->inbox($phone))[0];
}

sub no_counters () { return $portal->forget_keys('login-change*', 'company-*', 'phone-change-*') }

$portal->process('signer')->stop;    # it seals the trail
my ($client, $journey) = $portal->sign_in(person => 1);
$portal->set_password($client, $password);
$portal->prove($client);
my $account = $client->get('/api/session')->json->{account}{id};
my @changed = (['account', 'UPDATE'], ['audit', 'INSERT']);

subtest 'a login' => sub {
    my $set = sub {
        no_counters();
        put($client, '/api/account/email', {email => 'a@example.com'});
    };
    writes_all_or_nothing($portal, $set, ['account_login', 'INSERT'], ['audit', 'INSERT']);
    writes_all_or_nothing($portal, sub { expect($client->delete('/api/account/email'), 204) },
        ['account_login', 'DELETE'], ['audit', 'INSERT']);
};

subtest 'another number' => sub {
    my $phone = new_phone();
    my $code  = code_for($client, $phone, 'change_phone');
    $portal->forget_limits;
    my $change = sub { put($client, '/api/account/phone', {phone => $phone, code => $code}) };
    writes_all_or_nothing($portal, $change, @changed);
    $journey->{phone} = $phone;
};

subtest 'ways' => sub {
    writes_all_or_nothing($portal, sub { put($client, '/api/account/sign-in-ways', {ways => ['sms', 'password']}) },
        @changed);
};

subtest 'a reset' => sub {
    my $before = $portal->inbox($journey->{phone});
    my $reset  = expect($visitor->post('/api/password-resets', {login => $journey->{phone}, captcha($visitor)}), 201)
        ->json->{id};
    $portal->forget_limits;
    expect($visitor->post('/api/sms-codes', {purpose => 'reset_password', reset => $reset}), 202);
    ok $portal->wait_for_messages($journey->{phone}, $before + 1), 'a code';
    my ($code) = map { $_->{params}{code} // () } $portal->inbox($journey->{phone});
    $portal->forget_limits;
    writes_all_or_nothing($portal, sub {
        put($visitor, "/api/password-resets/$reset", {code => $code, password => '后会有期-江湖再见-88'})
    }, @changed);
};

subtest 'an application, approved and rejected' => sub {
    my $desk = sub ($token, $decision, $json = {}) {
        my $id = $token =~ s/\..*//r;
        return expect($portal->staff('reviewer')->post("/staff/api/phone-changes/$id/$decision", $json,
            key => random_text(16)), 200);
    };
    for my $decision (['approve', {}, ['account', 'UPDATE']], ['reject', {reason => '信息不符'}]) {
        my $phone = new_phone();
        my $code  = code_for($visitor, $phone, 'lost_phone');
        my $token;
        writes_all_or_nothing($portal, sub {
            no_counters();
            $token = expect($visitor->post('/api/phone-changes', {login => $journey->{phone}, phone => $phone,
                code => $code, name => $journey->{person}{name}, id_number => $journey->{person}{id_number},
                reason => '原号码已停用', captcha($visitor)}), 201)->json->{id};
        }, ['phone_change', 'INSERT'], ['audit', 'INSERT']);

        my ($name, $json, @more) = @$decision;
        writes_all_or_nothing($portal, sub { $desk->($token, $name, $json) }, ['idempotency', 'INSERT'],
            ['phone_change', 'UPDATE'], ['audit', 'INSERT'], @more, ['idempotency', 'UPDATE']);
        $journey->{phone} = $phone if $name eq 'approve';
    }
};

subtest 'disabled and enabled' => sub {
    for my $decision (qw(disable enable)) {
        writes_all_or_nothing($portal, sub {
            expect($portal->staff('administrator')->post("/staff/api/accounts/$account/$decision", {reason => '测试'},
                key => random_text(16)), 200);
        }, ['idempotency', 'INSERT'], @changed, ['account_decision', 'INSERT'], ['idempotency', 'UPDATE']);
    }
};

subtest 'a company, and its name taken over' => sub {
    my $company = new_company();
    my $register = sub {
        no_counters();
        my $one = $portal->client;
        expect($one->post('/api/accounts', {company => $company->{name}, password => $password, captcha($one)}), 201);
    };
    my @writes = (['account', 'INSERT'], ['account_login', 'INSERT'], ['audit', 'INSERT']);
    writes_all_or_nothing($portal, $register, @writes);
    $portal->change('UPDATE account_login SET created_at = 0');
    writes_all_or_nothing($portal, $register, @writes, ['account_login', 'DELETE'], ['account', 'UPDATE']);
};

subtest 'the end' => sub {
    my ($leaver, $way) = $portal->sign_in(person => 1, company => 1);
    my $messages = $portal->inbox($way->{phone});
    $portal->prove($leaver);
    writes_all_or_nothing($portal, sub { expect($leaver->post('/api/account/close'), 204) }, @changed,
        ['unit_member', 'DELETE']);
    ok $portal->wait_for_messages($way->{phone}, $messages + 1), 'its holder is told';
};

done_testing;
