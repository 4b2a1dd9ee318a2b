use v5.36;
use utf8;
use warnings FATAL => 'all';

# A unit whose name a certificate cannot hold is told so when it begins to apply, not after it has paid.

use Caportal::Sample qw(new_company);
use Caportal::Test;
use Test::More;

my $portal = Caportal::Test->start;

sub journey_of ($characters) {
    my $company = new_company();
    $company->{name} .= '分' x ($characters - length $company->{name});
    return $portal->journey(company => $company, project => 'medical-insurance');
}

my $long = journey_of(65);
$long->step($_) for qw(registry sms_code sign_in person organization catalog);

my %order    = (service => 'new', project => 'medical-insurance', product => 'usbkey-1y', unit => $long->{unit});
my $response = $long->applicant->post('/api/orders', \%order);
is $response->code, 422, '65 characters are refused' or diag Caportal::Client->describe($response);
is $response->json->{code}, 'invalid_fields', 'as a field';
is_deeply [map { [@$_{qw(name code)}] } @{ $response->json->{fields} }], [['unit', 'too_long']], 'the unit';
like $response->json->{fields}[0]{detail}, qr/单位名称/, 'in words';
my $english = $long->applicant->post('/api/orders', \%order, headers => {'Accept-Language' => 'en'});
like $english->json->{fields}[0]{detail}, qr/unit's name/, 'in English too';
is $portal->value('SELECT COUNT(*) FROM certificate_order'), 0, 'no order was made';

my $right = eval { journey_of(64)->until_state('issued') };
ok $right, '64 characters become a certificate' or diag $@;

# The profile may have been changed since the draft.
my $draft = journey_of(64);
$draft->step($_)
    for qw(registry sms_code sign_in person organization catalog create fill_in materials agreement csr);
my ($unit) = $portal->rows('SELECT unit_id AS id FROM certificate_order WHERE no = ?', $draft->no)->@*;
$portal->change('UPDATE unit SET name = CONCAT(name, "分") WHERE id = ?', $unit->{id});
my $refused = $draft->applicant->post('/api/orders/' . $draft->no . '/submit');
is $refused->code, 422, 'a submission is refused too' or diag Caportal::Client->describe($refused);
is $draft->show->{state}, 'draft', 'the order is as it was';

done_testing;
