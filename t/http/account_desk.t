use v5.36;
use utf8;
use warnings FATAL => 'all';

# The administrator's side of accounts: finding one, letting it in no more, and again; the same by caportalctl.

use Caportal::Files qw(random_text write_file);
use Caportal::Sample qw(new_phone);
use Caportal::Test;
use Caportal::Test::Walk qw(code_of is_problem is_unchanged state_of);
use Mojo::JSON;
use Test::More;
use Time::HiRes qw(time);

my $portal = Caportal::Test->start(edit => sub ($text) {
    return $text =~ s/^(worker_processes\s+).*;/${1}4;/mr;
});
write_file($portal->home . '/data/documents/a.txt', 'a document');
my $desk     = $portal->staff('administrator');
my $password = '青山不改-绿水长流-77';

sub id_of ($client) { return $client->get('/api/session')->json->{account}{id} }

sub decide ($id, $decision, $reason = '账号被盗用', $as = $desk) {
    return $as->post("/staff/api/accounts/$id/$decision", {reason => $reason}, key => random_text(16));
}

sub by_password ($journey) {
    return $portal->client->post('/api/sessions',
        {method => 'password', login => $journey->{phone}, password => $password});
}

# The same cookie on so many connections of their own, so that every worker is asked; when the last that was let pass
# began.
my $last_passed;

sub on_all_workers ($cookie, $path = '/api/session') {
    return map {
        my $began = time;
        my $code  = $portal->client->request(GET => $path,
            headers => {Cookie => "__Host-caportal=$cookie", Connection => 'close'})->code;
        $last_passed = $began if $code == 200;
        $code
    } 1 .. 24;
}

sub ctl (@words) {
    my $output = eval { $portal->ctl(@words) };
    return defined $output ? (1, $output) : (0, $@);
}

subtest 'finding one' => sub {
    my ($client, $journey) = $portal->sign_in(person => 1);
    my $id = id_of($client);
    $portal->set_password($client, $password);
    $portal->prove($client);
    is $client->request(PUT => '/api/account/email', json => {email => 'found@example.com'})->code, 204, 'an address';

    my $found = $desk->post('/staff/api/account-search', {login => $journey->{phone}});
    is $found->code, 200, 'by the number' or diag $found->body;
    is $found->json->{id}, $id, 'the account';
    is $found->json->{state}, 'active', 'its state';
    is $found->json->{phone}, $journey->{phone} =~ s/(?<=^...)..../****/r, 'masked';
    unlike $found->body, qr/$journey->{phone}|$journey->{person}{id_number}|found\@|\$argon2/, 'nothing in full';
    is $desk->post('/staff/api/account-search', {login => 'FOUND@example.com'})->json->{id}, $id, 'by the address';
    is $desk->get("/staff/api/accounts/$id")->json->{email}, 'f***@example.com', 'by its id';
    is_problem($desk->post('/staff/api/account-search', {login => new_phone()}), 404, 'not_found', 'nobody\'s');
    is $portal->value("SELECT COUNT(*) FROM audit WHERE action = 'account.find' AND actor_kind = 'staff' "
        . 'AND object_id = ?', $id), 2, 'who looked is recorded';
    unlike $portal->logs, qr/$journey->{phone}/, 'and no log has the number';
};

subtest 'ASVS 7.4.1, 7.4.2: a disabled account is out at once, at every worker' => sub {
    my ($client, $journey) = $portal->sign_in;
    my $id = id_of($client);
    $portal->set_password($client, $password);
    my $other = $portal->sign_in_again($journey);
    my @cookies = map { $_->cookie } $client, $other;
    is_deeply [grep { $_ != 200 } map { on_all_workers($_) } @cookies], [], 'two sessions, known to every worker';
    my @open = grep { $_ != 200 } on_all_workers($cookies[0], '/documents/a.txt');
    is_deeply \@open, [], 'a guarded location lets it pass';

    my $answer = decide($id, 'disable');
    is $answer->code, 200, 'disabled' or diag $answer->body;
    my $start = time;
    is_deeply [grep { $_ != 401 } map { on_all_workers($_) } @cookies], [], 'both are out at every worker';
    @open = on_all_workers($cookies[0], '/documents/a.txt');
    @open = on_all_workers($cookies[0], '/documents/a.txt') while (grep { $_ == 200 } @open) && time < $start + 10;
    is_deeply [grep { $_ != 401 } @open], [], 'of guarded locations too';
    cmp_ok $last_passed, '<', $start + 1, 'none was let pass that began a second later';

    is_problem(by_password($journey), 401, 'bad_credentials', 'the password signs nobody in');
    $portal->forget_limits;
    my $again = $portal->journey(map { $_ => $journey->{$_} } qw(person phone));
    $again->step('sms_code');
    my %by_code = (method => 'sms', phone => $journey->{phone}, code => $again->code);
    is_problem($again->applicant->post('/api/sessions', \%by_code), 403, 'forbidden',
        'nor does a code, which tells why');

    my $shown = $desk->get("/staff/api/accounts/$id")->json;
    is_deeply [@{ $shown->{decisions}[0] }{qw(decision reason)}, $shown->{state}], ['disable', '账号被盗用', 'disabled'],
        'the reason is kept';
    is decide($id, 'disable', '又一次')->json->{state}, 'disabled', 'again is as good';
    is $portal->value("SELECT COUNT(*) FROM audit WHERE action = 'account.disable' AND object_id = ?", $id), 1,
        'and recorded once';
    is $portal->value("SELECT COUNT(*) FROM audit WHERE detail LIKE '%被盗用%'"), 0, 'the reason is not in the trail';

    is decide($id, 'enable', '已核实身份')->json->{state}, 'active', 'let in again';
    is_deeply [grep { $_ != 401 } map { on_all_workers($_) } @cookies], [], 'its old sessions stay over';
    is by_password($journey)->code, 201, 'it signs in anew';
};

subtest 'what Redis remembers does not count' => sub {
    my ($client) = $portal->sign_in;
    my $id  = id_of($client);
    my $key = "caportal:sessions:$id";
    $portal->redis('COPY', $key, 'caportal:kept');
    is decide($id, 'disable')->code, 200, 'disabled';
    $portal->redis('COPY', 'caportal:kept', $key);
    is_problem($client->get('/api/session'), 401, 'unauthenticated', 'a session that came back is refused');
    is decide($id, 'enable')->code, 200, 'enabled';
    $portal->redis('COPY', 'caportal:kept', $key, 'REPLACE');
    is_problem($client->get('/api/session'), 401, 'unauthenticated', 'for good: it began before');
};

subtest 'a sign-in that is on its way' => sub {
    my ($client, $journey) = $portal->sign_in;
    my $id = id_of($client);
    $portal->set_password($client, $password);
    my @codes;
    for (1 .. 5) {
        my $pid = fork // die;
        if (!$pid) {
            my $code = eval { by_password($journey)->code } // 0;
            require POSIX;
            POSIX::_exit($code == 201 ? 1 : $code == 401 || $code == 403 ? 2 : 3);
        }
        select undef, undef, undef, 0.004 * $_;
        decide($id, 'disable');
        waitpid $pid, 0;
        push @codes, $? >> 8;
        my $open = $portal->stack->service('redis')->value('HLEN', "caportal:sessions:$id");
        is $open, 0, 'leaves no session behind' or diag "sign-in ended as $codes[-1]";
        decide($id, 'enable');
    }
    is scalar(grep { $_ == 3 } @codes), 0, 'and ends in one way or the other';
};

subtest 'without Redis nothing is half done' => sub {
    my ($client) = $portal->sign_in;
    my $id     = id_of($client);
    my $before = state_of($portal);
    $portal->kill('redis');
    my $answer = decide($id, 'disable');
    is $answer->code, 503, 'it is not done';
    $portal->restart('redis');
    is_unchanged($portal, $before, 'nothing changed');
    is decide($id, 'disable')->code, 200, 'but afterwards';
};

subtest 'caportalctl' => sub {
    my ($client) = $portal->sign_in;
    my $id = id_of($client);
    my ($good, $output) = ctl('account', 'disable', $id);
    ok !$good && $output =~ /--reason/, 'a reason is wanted' or diag $output;
    ($good, $output) = ctl('account', 'disable', 'nobody', '--reason', '测试');
    ok !$good && $output =~ /no account has the id nobody/, 'no such account' or diag $output;
    ($good, $output) = ctl('account', 'disable', $id, '--reason', '运维处置');
    ok $good, 'disabled' or diag $output;
    is_problem($client->get('/api/session'), 401, 'unauthenticated', 'its session is over');
    is $portal->redis('EXISTS', "caportal:sessions:$id"), ':0', 'in Redis too';
    is $portal->value("SELECT actor_kind FROM audit WHERE action = 'account.disable' AND object_id = ?", $id), 'system',
        'recorded as the operator\'s';
    is $desk->get("/staff/api/accounts/$id")->json->{decisions}[0]{staff}, undef, 'not as staff\'s';
    ok +(ctl('account', 'enable', $id, '--reason', '恢复'))[0], 'and enabled';
    is $desk->get("/staff/api/accounts/$id")->json->{state}, 'active', 'again';

    my $closed = $portal->sign_in;
    my $gone   = id_of($closed);
    $portal->prove($closed);
    is $closed->post('/api/account/close')->code, 204, 'a closed account';
    ($good, $output) = ctl('account', 'enable', $gone, '--reason', '恢复');
    ok !$good && $output =~ /is closed/, 'stays closed' or diag $output;
    is_problem(decide($gone, $_), 409, 'conflict', "$_ by staff neither") for qw(disable enable);
};

done_testing;
