use v5.36;
use utf8;
use warnings FATAL => 'all';

# The checker of answers itself: documents that fit, and one for each way in which one may not.

use Caportal::OpenApi;
use JSON::PP ();
use Test::More;

my $api  = Caportal::OpenApi->shared;
my $json = JSON::PP->new->utf8;

my %order = (no => '2026030910152233384021', state => 'submitted', version => 9);
my %unit  = (id => 'Yb3k', name => '内蒙古蓝天工程有限公司', uscc => '91150105MA0N4B2X7K', kind => 'enterprise',
    verified => JSON::PP::true, role => 'agent');
my %problem = (type => 'about:blank', code => 'not_found', status => 404, detail => '内容不存在', request_id => '4f');
my $submit  = '/api/orders/2026030910152233384021/submit';

sub problem (%change) { return {%problem, %change} }

# title, method, path, status, content type, document or bytes, what the fault says (nothing: it fits)
my @answers = (
    ['an order moved', POST => $submit, 200, 'application/json; charset=utf-8', \%order],
    ['the type in capitals', POST => $submit, 200, 'Application/JSON', \%order],
    ['a query', GET => '/api/units?x=1', 200, 'application/json', {units => [\%unit]}],
    ['an empty list', GET => '/api/units', 200, 'application/json', {units => []}],
    ['no body', DELETE => '/api/session', 204, undef, ''],
    ['bytes', GET => '/crl/p256-1.crl', 200, 'application/pkix-crl', "0\x82"],
    ['a problem', POST => $submit, 404, 'application/problem+json; charset=utf-8', \%problem],
    ['a problem with fields', POST => $submit, 422, 'application/problem+json',
        problem(code => 'incomplete', status => 422,
            fields => [{name => 'materials.licence', code => 'required', detail => '必填'}])],
    ['an unknown path', GET => '/api/nothing', 404, 'application/problem+json', \%problem],
    ['another method', PUT => '/api/units', 405, 'application/problem+json',
        problem(code => 'method_not_allowed', status => 405)],
    ['HEAD', HEAD => '/api/units', 200, 'application/json', ''],
    ['what is not the API', GET => '/metrics', 200, 'text/plain', 'up 1'],

    ['a status', POST => $submit, 201, 'application/json', \%order, qr/status 201 is not described/],
    ['a content type', POST => $submit, 200, 'text/html', '<p>', qr/'text\/html' is not described/],
    ['no content type', POST => $submit, 200, undef, \%order, qr/'' is not described/],
    ['no JSON', POST => $submit, 200, 'application/json', '{"no":', qr/no JSON/],
    ['an empty body', POST => $submit, 200, 'application/json', '', qr/empty/],
    ['a body where none is', DELETE => '/api/session', 204, undef, 'x', qr/a body that is not described/],
    ['a body to HEAD', HEAD => '/api/units', 200, 'application/json', {units => []}, qr/HEAD/],
    ['a member that is missing', POST => $submit, 200, 'application/json', {%order{qw(no state)}}, qr{/version is missing}],
    ['a member too many', POST => $submit, 200, 'application/json', {%order, id => 1}, qr{/id is not described}],
    ['one deep inside', GET => '/api/units', 200, 'application/json', {units => [{%unit, legal_name => '李四'}]},
        qr{/units/0/legal_name is not described}],
    ['a number as text', POST => $submit, 200, 'application/json', {%order, version => '9'}, qr{/version is not integer}],
    ['text as a number', POST => $submit, 200, 'application/json', {%order, no => 5}, qr{/no is not string}],
    ['a fraction', POST => $submit, 200, 'application/json', {%order, version => 1.5}, qr{/version is not integer}],
    ['below the least', POST => $submit, 200, 'application/json', {%order, version => 0}, qr{/version is less than 1}],
    ['a word that is none', POST => $submit, 200, 'application/json', {%order, state => 'lost'}, qr{/state is none of}],
    ['another form', POST => $submit, 200, 'application/json', {%order, no => "$order{no}\n"}, qr{/no is not of the form}],
    ['null', GET => '/api/units', 200, 'application/json', {units => undef}, qr{/units is not array}],
    ['a number for a truth', GET => '/api/units', 200, 'application/json', {units => [{%unit, verified => 1}]},
        qr{/units/0/verified is not boolean}],
    ['a code of another status', POST => $submit, 409, 'application/problem+json', problem(status => 409),
        qr{/code is none of}],
    ['a code of another operation', POST => $submit, 409, 'application/problem+json',
        problem(code => 'already_exists', status => 409), qr{/code is none of}],
    ['a status that is not the answer\'s', POST => $submit, 404, 'application/problem+json', problem(status => 400),
        qr{/status is not 404}],
    ['an unknown path that answers', GET => '/api/nothing', 200, 'application/json', {}, qr/status is not 404/],
    ['an unknown path in other words', GET => '/api/nothing', 404, 'application/problem+json',
        problem(code => 'conflict'), qr{/code is not not_found}],
    ['another method that answers', PUT => '/api/units', 200, 'application/json', {}, qr/status is not 405/],
    ['server words in place of ours', GET => '/api/nothing', 404, 'text/html', '<html>', qr/'text\/html'/],
);

for my $case (@answers) {
    my ($title, $method, $path, $status, $type, $body, $expected) = @$case;
    my @faults = $api->check_answer($method, $path, $status, $type, ref $body ? $json->encode($body) : $body);

    is_deeply \@faults, [], "$title: fits" or next if !$expected;
    like join("\n", @faults), $expected, "$title: does not fit" if $expected;
}

# Schemas that no answer above comes to. schema, documents that fit, documents that do not
my @schemas = (
    ['type, several', {type => [qw(string null)]}, ['x', undef], [1, {}, []]],
    ['enum with null', {enum => ['me', undef]}, ['me', undef], ['you', 0, '']],
    ['const of a number', {const => 401}, [401], [400, '401x', undef]],
    ['const of a truth', {const => JSON::PP::true}, [JSON::PP::true], [JSON::PP::false, 1, 'true']],
    ['lengths in characters', {type => 'string', minLength => 2, maxLength => 3}, ['王明', 'abc'], ['王', 'abcd']],
    ['bounds', {minimum => 1, maximum => 3}, [1, 2.5, 3, 'text'], [0, 4]],
    ['items', {items => {type => 'integer'}, minItems => 1, maxItems => 2}, [[1], [1, 2], 'text'], [[], [1, 2, 3], ['1']]],
    ['closed', {properties => {a => {}}, additionalProperties => JSON::PP::false}, [{}, {a => 1}], [{b => 1}]],
    ['open', {additionalProperties => JSON::PP::true}, [{}, {b => 1}], []],
    ['the rest by a schema', {additionalProperties => {type => 'string'}}, [{b => 'x'}], [{b => 1}]],
    ['allOf', {allOf => [{required => ['a'], properties => {a => {}}}, {properties => {b => {}}}]},
        [{a => 1}, {a => 1, b => 2}], [{b => 2}, {a => 1, c => 3}]],
    ['anyOf', {anyOf => [{type => 'string'}, {minimum => 5}]}, ['x', 7], [3]],
    ['oneOf', {oneOf => [{type => 'integer'}, {maximum => 5}]}, [7, 2.5], [3, 7.5]],
    ['oneOf of objects', {oneOf => [map { {required => [$_], properties => {$_ => {}}} } qw(a b)]},
        [{a => 1}, {b => 1}], [{}, {c => 1}, {a => 1, b => 1}]],
    ['a reference', {'$ref' => '#/components/schemas/OrderNo'}, [$order{no}], ['1', 1]],
    ['a reference with a word beside it', {'$ref' => '#/components/schemas/Fen', minimum => 0}, [1], [-1, 'x']],
    ['words that mean nothing', {description => 'x', format => 'email', 'x-max-bytes' => 1}, ['y', 1, undef], []],
);

for my $case (@schemas) {
    my ($title, $schema, $good, $bad) = @$case;
    is_deeply [$api->faults($schema, $_)], [], "$title: " . ($json->allow_nonref->encode($_)) . ' fits' for @$good;
    isnt scalar(() = $api->faults($schema, $_)), 0, "$title: " . ($json->allow_nonref->encode($_)) . ' does not' for @$bad;
}

ok !eval { $api->faults({patternProperties => {}}, {}); 1 }, 'a keyword that the checker does not know dies';
like $@, qr/patternProperties/, 'by name';
ok !eval { $api->faults({'$ref' => '#/components/schemas/Nothing'}, {}); 1 }, 'a reference that leads nowhere too';

# The examples are held against their schemas by the linter too, but not as strictly.
for my $operation (@{ $api->operations }) {
    for my $status (sort keys %{ $operation->{responses} }) {
        my $content = $operation->{responses}{$status}{content} // {};
        for my $type (grep { $content->{$_}{example} } sort keys %$content) {
            my $example = $json->decode($json->encode($content->{$type}{example}));
            my @faults  = $api->faults($content->{$type}{schema}, $example);
            is_deeply \@faults, [], "$operation->{id}, $status: the example fits";
        }
    }
}

done_testing;
