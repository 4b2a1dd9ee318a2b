use v5.36;
use utf8;
use warnings FATAL => 'all';

# A whole order of people who can be told from all others: nothing of them lies in clear in a log, in Redis, in a file
# of nginx's, in the store of materials or in the database; and answers show it masked.

use Caportal::Files qw(random_text read_file);
use Caportal::Sample qw(new_company new_jpeg new_person);
use Caportal::Test;
use File::Find ();
use MIME::Base64 qw(encode_base64);
use Mojo::Util qw(encode url_escape);
use Test::More;

my $portal  = Caportal::Test->start;
my $person  = {%{ new_person() }, name => '皇甫鹂歌'};
my $company = {%{ new_company() }, legal_name => '尉迟雀鸣'};
my $mark    = random_text(8);
my $street  = "金丝雀巷$mark" . '号';

my %canary = (
    name            => $person->{name},
    id_number       => $person->{id_number},
    phone           => $person->{mobile},
    legal_name      => $company->{legal_name},
    legal_id_number => $company->{legal_id_number},
    street          => $street,
    email           => "canary-$mark\@example.com",
    recipient       => "收件人$mark",
    password        => "Canary-$mark",
    scan            => "canary scan $mark",
    wrong_phone     => '13' . sprintf('%09d', rand 1e9),
);
my %details = (
    email    => $canary{email},
    address  => {province => '内蒙古自治区', city => '呼和浩特市', county => '新城区', street => $street},
    invoice  => {type => 'special', title => $company->{name}, tax_number => $company->{uscc}, email => $canary{email},
        address => $street, phone => $person->{mobile}, bank => '中国银行', account => '622200000000'},
    delivery => {method => 'mail', recipient => $canary{recipient}, phone => $person->{mobile}, address => $street},
);

# ---- the order, with all that can go wrong on its way

my $journey = $portal->journey(person => $person, company => $company);
my $client  = $journey->applicant;
my $jpeg    = new_jpeg();
my $scan    = substr($jpeg, 0, 2) . pack('C2na*', 0xff, 0xfe, 2 + length $canary{scan}, $canary{scan})
    . substr $jpeg, 2;

$journey->until_state('draft');
$journey->step($_) for qw(fill_in materials agreement csr);
is $client->patch($journey->_order, \%details)->code, 200, 'the details';
is $client->put($journey->_order('/materials/licence'), $scan, 'image/jpeg')->code, 201, 'a scan';
is $client->request(PUT => '/api/account/password', json => {password => $canary{password}})->code, 200, 'a password';

for my $bad (
    [POST => '/api/sessions', {method => 'sms', phone => $canary{wrong_phone}, code => '000000'}],
    [POST => '/api/sessions', {method => 'password', login => $canary{wrong_phone}, password => $canary{password}}],
    [POST => '/api/sms-codes', {phone => $person->{mobile}, purpose => 'login'}],
    [POST => '/api/identity/person', {%$person, name => $canary{legal_name}, mobile => "$canary{phone}9"}],
    [POST => '/api/identity/person', $company],
    [POST => '/api/identity/organization', {kind => 'enterprise', %$company, legal_name => $canary{name}}],
    [PATCH => $journey->_order, {%details, version => 999}],
    [PATCH => $journey->_order, {$canary{phone} => $canary{name}}],
) {
    my $answer = $portal->client->request($bad->[0], $bad->[1], json => $bad->[2],
        headers => {Cookie => '__Host-caportal=' . $client->cookie}, key => random_text(8));
    unlike $answer->code, qr/^5/, "$bad->[0] $bad->[1], refused or not: " . $answer->code;
}
my $asked = url_escape(encode('UTF-8', $person->{name}));
$client->get("/api/orders?project=$asked&phone=$person->{mobile}&state=$person->{id_number}");

$journey->{done}{$_} = 1 for qw(fill_in materials agreement csr);
$journey->until_state('issued');
$journey->step($_) for qw(download certificate);
is $journey->show->{state}, 'issued', 'the order is issued';

my %read = map { $_ => $client->get($_)->body } '/api/session', '/api/units', '/api/orders', '/api/certificates',
    $journey->_order, $journey->_order('/history'), $journey->_order('/materials'),
    $journey->_order("/payments/$journey->{payment}");
$read{"/staff$_"} = $portal->staff('auditor')->get("/staff$_")->body
    for '/api/orders', $journey->_order, $journey->_order('/history'), '/api/payments', '/api/audit';
my $delivery = $portal->staff('shipper')->get('/staff' . $journey->_order('/delivery'))->body;
$journey->step($_) for qw(ship complete);

# ---- what answers show

subtest 'answers' => sub {
    for my $path (sort keys %read) {
        my @shown = grep { index($read{$path}, encode('UTF-8', $canary{$_})) >= 0 }
            qw(name id_number phone legal_name legal_id_number password wrong_phone);
        is_deeply \@shown, [], $path =~ s/\d{22}/{no}/r =~ s/payments\/\w+/payments\/{id}/r;
    }
    ok index($delivery, encode('UTF-8', $canary{recipient})) >= 0, 'who sends the parcel reads to whom';
    is $portal->value('SELECT COUNT(*) FROM audit WHERE action = "order.delivery_read"'), 1, 'which is recorded';
};

# ---- what lies on disks

# A canary as it might be written: itself, escaped, in hexadecimal, in base64 at each alignment.
sub forms ($text) {
    my $bytes = encode('UTF-8', $text);
    my @base64 = map { substr(encode_base64('x' x $_ . $bytes, ''), $_ ? 4 : 0, -4 - 4 * ($_ == 2)) } 0 .. 2;
    my $escaped = join '', map { ord > 127 ? sprintf '\\u%04x', ord : $_ } split //, $text;
    return grep { length > 7 } $bytes, unpack('H*', $bytes), uc unpack('H*', $bytes), url_escape($bytes),
        encode('UTF-16BE', $text), $escaped, uc $escaped, @base64;
}

my %form;
for my $name (keys %canary) { $form{$_} = $name for forms($canary{$name}) }
my $pattern = join '|', map {quotemeta} sort { length $b <=> length $a } keys %form;
$pattern = qr/($pattern)/;

sub found_in ($bytes) {
    my %found;
    $found{ $form{$1} }++ while $bytes =~ /$pattern/g;
    return sort keys %found;
}

sub clean ($title, @files) {
    my (@dirty, $size);
    for my $file (@files) {
        my $bytes = read_file($file);
        $size += length $bytes;
        push @dirty, "$file: $_" for found_in($bytes);
    }
    is_deeply \@dirty, [], "$title: " . @files . ' files, ' . ($size // 0) . ' bytes';
    return;
}

sub files_below ($folder) {
    my @files;
    File::Find::find({no_chdir => 1, wanted => sub { push @files, $_ if -f && !-l }}, $folder) if -d $folder;
    return @files;
}

my $home = $portal->home;
is_deeply [found_in(encode('UTF-8', "… $canary{phone} …"))], ['phone'], 'a canary is found where there is one';
is_deeply [found_in(encode_base64(encode('UTF-8', "?$canary{email}?"), ''))], ['email'], 'in base64 too';

clean('logs',                  grep { !/sandbox/ } glob "$home/log/*");
clean('Redis',                 files_below("$home/data/redis"));
clean('folders of nginx',      files_below("$home/data/web"));
clean('the materials',         files_below("$home/data/materials"));
clean('what else is at home',  grep { !m{/(?:sandbox|log|redis|web|materials|journey-\d+)\b} } files_below($home));

subtest 'the database' => sub {
    my ($rows, @dirty) = (0);
    for my $table (map { $_->{name} } @{ $portal->rows('SELECT table_name AS name FROM information_schema.tables'
            . ' WHERE table_schema = DATABASE() ORDER BY 1') })
    {
        for my $row (@{ $portal->rows("SELECT * FROM `$table`") }) {
            $rows++;
            for my $column (sort keys %$row) {
                my $value = $row->{$column} // next;
                utf8::encode($value) if utf8::is_utf8($value);
                push @dirty, "$table.$column: $_" for found_in($value);
            }
        }
    }
    cmp_ok $rows, '>', 50, "$rows rows";
    is_deeply \@dirty, [], 'nothing in clear';
    is $portal->value('SELECT COUNT(*) FROM unit WHERE name = ?', $company->{name}), 1, 'but what is public anyway';
};

my $data = $portal->stack->service('mariadb')->socket =~ s{/run/data/.*}{/data}r;
ok((grep { /ibd\z/ } files_below($data)), 'its files are found');
clean('its files', grep { !m{/(?:mysql|performance_schema|sys)/} } files_below($data));

done_testing;
