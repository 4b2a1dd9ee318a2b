use v5.36;
use utf8;
use warnings FATAL => 'all';

# Three halls' rules on materials, as they are shipped, served by one server: each order's are those of its own hall.

use Caportal::Files qw(read_file);
use Caportal::Sample qw(new_bmp new_jpeg new_png);
use Caportal::Test;
use Caportal::Test::Walk qw(is_problem);
use Test::More;

use constant KB => 1024;

my $portal = Caportal::Test->start(edit => sub ($text) {
    return $text =~ s{^(\s*include\s+)halls/\*\.conf;}{$1halls/*.conf;\n$1halls/examples/*.conf;}mr;
});

# The smallest of each format with something behind its end, of so many bytes. None of them is like another.
sub behind ($bytes, $size) { return $bytes . "\0" x ($size - length $bytes) }

sub new_gif ($width = 1) {
    state $mark = 0;
    return 'GIF89a' . pack('vvCCC', $width, 1, 0x80, 0, 0) . "\0\0\0\xff\xff\xff"
        . "!\xfe\4" . pack('N', ++$mark) . "\0"
        . ',' . pack('vvvvC', 0, 0, $width, 1, 0) . "\2\2\x4c\1\0" . ';';
}

sub new_pdf ($pages = 1) {
    state $mark = 0;
    my @objects = ("<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Count $pages/Kids["
        . join(' ', map { 2 + $_ . ' 0 R' } 1 .. $pages) . ']>>',
        map {"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>"} 1 .. $pages);
    my $text = "%PDF-1.4\n%" . ++$mark . "\n";
    my @at;
    for my $i (0 .. $#objects) {
        push @at, length $text;
        $text .= $i + 1 . " 0 obj$objects[$i]endobj\n";
    }
    my $xref = length $text;
    return $text . 'xref 0 ' . (1 + @objects) . "\n0000000000 65535 f \n"
        . join('', map { sprintf "%010d 00000 n \n", $_ } @at)
        . 'trailer<</Size ' . (1 + @objects) . "/Root 1 0 R>>\nstartxref\n$xref\n%%EOF\n";
}

my %new = (
    jpeg => [\&new_jpeg, 'image/jpeg'], png => [\&new_png, 'image/png'], bmp => [\&new_bmp, 'image/bmp'],
    gif  => [\&new_gif, 'image/gif'],   pdf => [\&new_pdf, 'application/pdf'],
);

# hall; an order's project and product there; its limit; the types of its licence
my @halls = (
    ['nmgca', 'procurement', 'usbkey-1y', 1024, [qw(jpeg png bmp)]],
    ['szca-liaoning', 'liaoning-procurement', 'certificate-1y', 2048, [qw(jpeg pdf)]],
    ['bjca', 'district-main-key', 'unit-and-legal-1y', 1536, [qw(gif jpeg png)]],
);

my %hall = map { $_->{name} => $_ } @{ $portal->client->get('/api/catalog')->json->{halls} };
is_deeply [sort keys %hall], [sort map { $_->[0] } @halls], 'three halls in one catalogue';

for my $case (@halls) {
    my ($name, $project, $product, $limit, $types) = @$case;

    subtest $name => sub {
        my $journey = $portal->order_until('draft', project => $project, product => $product, key => 'station');
        my $client  = $journey->applicant;
        my $at      = '/api/orders/' . $journey->no . '/materials/licence';

        for my $format (sort keys %new) {
            my ($make, $type) = @{ $new{$format} };
            my $answer = $client->put($at, $make->(), $type);
            if (grep { $_ eq $format } @$types) {
                is $answer->code, 201, "$format is taken";
                my $size = $limit * KB;
                # A PDF ends where it ends.
                next if $format eq 'pdf';
                is $client->put($at, behind($make->(), $size), $type)->code, 201, '... up to the limit';
                is_problem($client->put($at, behind($make->(), $size + 1), $type), 413, 'too_large', '... and no more');
            } else {
                is_problem($answer, 415, 'unsupported_media_type', "$format is not");
            }
        }

        my ($sold) = grep { $_->{name} eq $project } @{ $hall{$name}{projects} };
        for my $need (@{ $sold->{materials} }) {
            ok @{ $need->{wrong} } > 0, "$need->{kind}: what goes wrong is said";
            my $sample = $need->{example} ? $client->get($need->{example}) : undef;
            is $sample->code . ' ' . $sample->headers->content_type, '200 image/png', '... and a sample shown'
                if $sample;
            next if !$need->{template};
            is $client->get("/api/templates/$name/$need->{kind}")->code, 200, '... and a form handed out';
        }
    };
}

# What an order misses follows from hall, project, service and applicant.
subtest 'required kinds' => sub {
    my $missing = sub (%option) {
        my $journey = $portal->journey(key => 'station', %option);
        $journey->step($_) for qw(registry sms_code sign_in person organization catalog create);
        return join ' ', sort map {/\Amaterials\.(.*)/} @{ $journey->show->{missing} };
    };
    is $missing->(project => 'procurement', product => 'usbkey-1y'),
        'legal_id_back legal_id_front legal_seal legal_signature licence seal_image', 'nmgca, an enterprise';
    is $missing->(project => 'procurement', product => 'usbkey-1y', kind => 'institution'),
        'application_form authorization legal_id_back legal_id_front legal_seal legal_signature licence seal_image',
        'nmgca, an institution';
    is $missing->(project => 'medical-insurance', product => 'usbkey-1y'),
        'legal_id_back legal_id_front licence seal_image', 'nmgca, another project';
    is $missing->(project => 'liaoning-procurement', product => 'certificate-1y'),
        'application_form licence seal_sheet', 'szca-liaoning';
    is $missing->(project => 'district-main-key', product => 'unit-and-legal-1y'),
        'agent_id_back agent_id_front authorization licence seal_sheet', 'bjca, a main key';
    is $missing->(project => 'district-sub-key', product => 'sub-key-1y'),
        'agent_id_back agent_id_front authorization licence', 'bjca, a sub key';
};

# The kind's own limits, also below what the edge lets in for all halls.
subtest 'pixels and pages' => sub {
    my $journey = $portal->order_until('draft', project => 'liaoning-procurement', product => 'certificate-1y',
        key => 'station');
    my $at      = '/api/orders/' . $journey->no . '/materials';
    my $answer  = $journey->applicant->put("$at/licence", new_jpeg(8000, 5001), 'image/jpeg');
    is_problem($answer, 422, 'bad_file', 'more than 40 million pixels');
    is $answer->json->{reason}, 'too_many_pixels', '... are too many';
    $answer = $journey->applicant->put("$at/licence", new_pdf(3), 'application/pdf');
    is_problem($answer, 422, 'bad_file', 'more than two pages');
    is $answer->json->{reason}, 'too_many_pages', '... are too many';
    is $journey->applicant->put("$at/licence", new_pdf(2), 'application/pdf')->code, 201, 'two are not';
    is_problem($journey->applicant->get('/api/samples/nmgca/legal_seal'), 404, 'not_found', 'no sample where none is');
    is_problem($journey->applicant->get("/api/samples/$_"), 404, 'not_found', "none at $_")
        for 'nmgca/none', 'none/licence';
};

done_testing;
